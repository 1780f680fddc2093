"""Ids: all of one form, none twice, and none that a forked process repeats."""

import os
import re

from lbd.http.ids import request_id


def test_request_ids() -> None:
    ids = {request_id() for _ in range(10000)}
    assert len(ids) == 10000
    assert all(re.fullmatch(rb"[0-9a-f]{32}", item) for item in ids)


def test_a_forked_process_has_ids_of_its_own() -> None:
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.write(writer, request_id())
        os._exit(0)
    os.waitpid(child, 0)
    mine = request_id()
    theirs = os.read(reader, 64)
    os.close(reader)
    os.close(writer)
    assert len(theirs) == 32
    assert theirs != mine

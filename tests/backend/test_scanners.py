"""Scanners of answers: one for all backends that take the same."""

import pytest

from lbd import schema
from lbd.backend.scanners import scanner
from lbd.http.head import Response
from lbd.schema.messages import LENIENCIES


def test_backends_that_take_the_same_share_one() -> None:
    assert scanner(schema.BackendConfig()) is scanner(schema.BackendConfig(queue=7))
    assert scanner(schema.BackendConfig()) is not scanner(schema.BackendConfig(lenient=("status",)))


def test_each_word_of_the_configuration_is_one_of_the_scanner() -> None:
    Response(1024, 1, LENIENCIES)
    with pytest.raises(ValueError, match="not in tuple"):
        Response(1024, 1, ("other",))


def test_bounds() -> None:
    many = b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300 + b"Content-Length: 0\r\n\r\n"
    assert scanner(schema.BackendConfig()).scan(many, 0, False, 1, True) == -502
    assert scanner(schema.BackendConfig(max_response_headers=301)).scan(many, 0, False, 1, True) > 0
    assert scanner(schema.BackendConfig(max_response_headers=301, max_response_head=1024)).scan(
        many, 0, False, 1, True) == -502

"""resolv.conf and hosts as the C library reads them, in a thread that nobody waits for."""

import asyncio
import os
import threading

import pytest

from lbd.discovery import name_files
from lbd.discovery.name_files import NameFiles, NameSources, parse_sources, search_names
from tests.waiting import turn

RESOLV = """\
# comment
; another
domain first.test
nameserver 10.0.0.53 # said so
nameserver nonsense
nameserver fe80::1
nameserver 10.0.0.54
nameserver 10.0.0.55
search A.test. b.test
options ndots:2 timeout:3 attempts:4 rotate edns0 use-vc no-aaaa
"""
HOSTS = """\
127.0.0.1 localhost
::1 App.test app # two names
127.0.0.1 app.test
nonsense other
10.0.0.1
"""


def test_what_the_files_say():
    found = parse_sources(RESOLV, HOSTS, "me.ignored.test", 5353)
    assert found == NameSources(
        servers=(("10.0.0.53", 5353), ("fe80::1", 5353, 0, 0), ("10.0.0.54", 5353)), search=("a.test", "b.test"),
        ndots=2, pause=3.0, attempts=4, rotate=True, tcp=True, edns=True, families=("A",),
        hosts={"localhost": ("127.0.0.1",), "app.test": ("::1", "127.0.0.1"), "app": ("::1",)})


@pytest.mark.parametrize(("resolv", "hostname", "search"), [
    ("", "me.home.test", ("home.test",)), ("search . a..b \\1 c.test", "", ("c.test",)),
    ("domain a.test b.test", "", ("a.test",)),
    ("search a.test\ndomain b.test", "", ("b.test",)), ("", "me", ())])
def test_which_suffixes_are_searched(resolv, hostname, search):
    assert parse_sources(resolv, "", hostname).search == search


def test_without_files_the_server_of_this_machine_is_asked():
    assert parse_sources("", "").servers == (("127.0.0.1", 53),)


@pytest.mark.parametrize("server", ["fe80::1%no-such-interface", "fe80::1%9x", "10.0.0.1%eth0x", "::g", "10.0.0"])
def test_what_is_no_server_is_left_out(server):
    assert parse_sources(f"nameserver {server}\nnameserver 10.0.0.9", "").servers[-1] == ("10.0.0.9", 53)


@pytest.mark.parametrize(("name", "ndots", "wanted"), [
    ("db", 1, ["db.a.test", "db.b.test", "db"]),
    ("db.one", 1, ["db.one", "db.one.a.test", "db.one.b.test"]),
    ("db.one", 2, ["db.one.a.test", "db.one.b.test", "db.one"])])
def test_what_is_asked_for_in_turn(name, ndots, wanted):
    assert list(search_names(name, NameSources(search=("a.test", "b.test"), ndots=ndots))) == wanted


async def test_a_change_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(name_files, "FRESH", 0.0)
    resolv, hosts = tmp_path / "resolv.conf", tmp_path / "hosts"
    files = NameFiles(str(resolv), str(hosts))
    assert (await files.read()).hosts == {}
    resolv.write_text("nameserver 10.0.0.1")
    assert (await files.read()).servers == (("10.0.0.1", 53),)
    hosts.write_text("10.0.0.2 x.test")
    known = await files.read()
    assert known.hosts == {"x.test": ("10.0.0.2",)}
    assert await files.read() is known      # not read again while they stay as they are


async def test_a_disk_that_hangs_holds_up_nobody(tmp_path, monkeypatch):
    """The file is a FIFO that nobody writes to."""
    monkeypatch.setattr(name_files, "PATIENCE", 0.01)
    fifo = tmp_path / "resolv.conf"
    os.mkfifo(fifo)
    files = NameFiles(str(fifo), str(tmp_path / "hosts"))
    before = threading.active_count()
    for _ in range(20):
        assert await files.read() == NameSources()
    assert threading.active_count() <= before + 1
    with open(fifo, "w") as writing:      # lets the thread end
        writing.write("nameserver 10.0.0.7")
    async with asyncio.timeout(20):
        while (await files.read()).servers != (("10.0.0.7", 53),):
            await turn()

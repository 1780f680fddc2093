"""lbd.cli.reference.keys: keys of the configuration by name and by path."""

import pytest

from lbd.balance import ALGORITHMS
from lbd.cli.reference import keys
from lbd.health import CHECKS
from lbd.schema import keys as table_of


@pytest.mark.parametrize("entry", keys.entries(), ids=lambda entry: ".".join(entry.path))
def test_every_key_is_found_by_name_and_by_path(entry: keys.KeyEntry) -> None:
    path = ".".join(entry.path)
    for subject in (path, path.replace("NAME", "mine"), path.replace("NAME.", ""), entry.path[-1]):
        found = keys.entry(subject)
        assert path in found
        assert entry.about.text in found


def test_keys_of_algorithms_and_checks_are_there() -> None:
    paths = {(entry.path, entry.owner) for entry in keys.entries()}
    for owner, traits in ALGORITHMS.items():
        for name in table_of(traits.Options) if traits.Options is not None else ():
            assert (("backends", "NAME", "algorithm", name), owner) in paths
    for owner, kind in CHECKS.items():
        for name in table_of(kind.Options):
            assert (("health", "NAME", name), owner) in paths


def test_an_entry_says_what_may_be_written() -> None:
    assert keys.entry("servers.a.max_conns") == (
        "backends.NAME.servers.NAME.max_conns\n"
        "    most connections, and so requests in flight, to it\n"
        "    must be a whole number from 1 to 1000000\n"
        "    no default; an example: 200\n"
        "    a change is in force with the next reload\n")


def test_an_entry_says_what_a_reload_does() -> None:
    assert "    a change needs a restart\n" in keys.entry("state_dir")
    assert "    a change opens other sockets\n" in keys.entry("listeners.bind")


def test_one_text_for_one_key_in_several_tables() -> None:
    found = keys.entry("client_header")
    assert found.splitlines()[:3] == ["timeouts.client_header", "listeners.NAME.timeouts.client_header",
                                      "backends.NAME.timeouts.client_header"]
    assert found.count("default:") == 1


def test_several_texts_for_several_keys_of_one_name() -> None:
    assert len(keys.entry("path").split("\n\n")) == 3


@pytest.mark.parametrize("subject", ["", ".", "nothing", "web.max_conns.servers", "a.b.c.max_conns", "a.log.format"])
def test_no_entry_for_another_path(subject: str) -> None:
    assert keys.entry(subject) == ""


def test_a_table_is_found_too() -> None:
    assert keys.entry("servers") == (
        "backends.NAME.servers\n    by name: the name is the server's identity\n    tables by a name of your choice\n"
        "    a change is in force with the next reload\n")


def test_the_whole_is_the_reference() -> None:
    assert "\n[backends.app]" in keys.table()
    assert {"max_conns", "balance_factor", "listeners"} <= set(keys.names())

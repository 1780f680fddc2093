"""Edits that cannot be: each is refused with its reason, and the old configuration serves on without a hitch."""

import os
import shutil
import signal
from pathlib import Path

import pytest
from lbd_process import Lbd, until
from load import Load
from origin import Origin

GOOD = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
servers = { a = "127.0.0.1:%d" }
"""


def weighted(text, weight):
    return text.replace('{ a = "', f'{{ a = {{ weight = {weight}, address = "').replace('" }', '" } }')


# What is done to the good text, and words of the reason.
EDITS = {
    "half a file": (lambda text: text[:len(text) // 2], ""),
    "nothing but the head": (lambda text: "", "listeners"),
    "no TOML": (lambda text: text + "\n= = =\n", "not valid TOML"),
    "an unknown key": (lambda text: text.replace("backend =", "bakend ="), 'did you mean "backend"'),
    "an unknown table": (lambda text: text + "[backend.app]\n", "unknown key"),
    "a wrong type": (lambda text: text.replace('"app"', "5"), "listeners.web.backend"),
    "a table for a value": (lambda text: text.replace('backend = "app"', "backend = { name = 'app' }"),
                            "listeners.web.backend"),
    "a dangling backend": (lambda text: text.replace('"app"', '"ap"'), 'did you mean "app"'),
    "a dangling health policy": (lambda text: text + 'health = "wbe"\n', "wbe"),
    "an unknown algorithm": (lambda text: text + 'algorithm = "rund-robin"\n', "rund-robin"),
    "an algorithm that is nowhere": (lambda text: text + 'algorithm = "nowhere.at_all:Own"\n', "nowhere"),
    "an option that the algorithm has not": (
        lambda text: text + 'algorithm = { name = "round-robin", key = "url" }\n', "key"),
    "no server": (lambda text: text.split("servers")[0], "a backend needs servers"),
    "a server without a port": (lambda text: text.replace('a = "127.0.0.1:', 'b = "127.0.0.1", a = "127.0.0.1:'),
                                "has no port"),
    "a server given twice": (lambda text: text.replace("{ a", '{ a = "127.0.0.1:1", a'), ""),
    "a table given twice": (lambda text: text + "[listeners.web]\n", ""),
    "all weights 0": (lambda text: weighted(text, "0"), "all weights are 0"),
    "a weight below 0": (lambda text: weighted(text, "-1"), "-1 is out of range"),
    "a duration without a unit": (lambda text: text + '[timeouts]\nconnect = "5"\n', "timeouts.connect"),
    "a number with too many digits": (lambda text: text + f"[global]\nx = {'9' * 10_000}\n", ""),
    "arrays within arrays": (lambda text: text + f"x = {'[' * 5000}{']' * 5000}\n", ""),
    "an address nobody has": (lambda text: text.replace('"127.0.0.1:$web"', '["127.0.0.1:$web", "192.0.2.1:80"]'),
                              "no interface of this machine has that address"),
    "an address twice": (lambda text: text.replace('"127.0.0.1:$web"', '["127.0.0.1:$web", "127.0.0.1:$web"]'),
                         "is there already"),
    "a regular expression that is none": (
        lambda text: text + '[[listeners.web.routes]]\npath_regex = "("\nbackend = "app"\n', "path_regex"),
    "a file that is not there": (lambda text: text + '[errors]\n503 = "/nowhere/503.html"\n', "/nowhere/503.html"),
    "a status that lbd never answers": (lambda text: text + '[errors]\n418 = "/etc/hostname"\n', "418"),
}

# What is put in the file's place.
FILES = {
    "NUL bytes": (lambda file: file.write_bytes(file.read_bytes() + b"\0\0\0"), "NUL"),
    "no UTF-8": (lambda file: file.write_bytes(file.read_bytes() + b"# \xff\xfe"), "UTF-8"),
    "UTF-16": (lambda file: file.write_bytes(file.read_text().encode("utf-16")), ""),
    "50 MB": (lambda file: file.write_bytes(file.read_bytes() + b"#" * 50_000_000), "MiB"),
    "an empty file": (lambda file: file.write_bytes(b""), "there is no listener"),
    "nothing": (lambda file: file.unlink(), "No such file"),
    "a directory": (lambda file: (file.unlink(), file.mkdir()), "it is a directory"),
    "a FIFO": (lambda file: (file.unlink(), os.mkfifo(file)), "not a regular file"),
    "a link to itself": (lambda file: (file.unlink(), file.symlink_to(file)), "symbolic links"),
    "a link to nothing": (lambda file: (file.unlink(), file.symlink_to("/nowhere")), "No such file"),
    "an include that is a directory": (lambda file: included(file, '"/etc"'), "it is a directory"),
    "an include that is not there": (lambda file: included(file, '"/nowhere.toml"'), "/nowhere.toml"),
    "an include of itself": (lambda file: included(file, f'"{file}"'), "includes itself"),
    "a broken file that a pattern finds": (
        lambda file: (Path(f"{file}.d").mkdir(), Path(f"{file}.d/a.toml").write_text("= ="),
                      included(file, f'"{file}.d/*.toml"')), "a.toml:1:1"),
}


def included(file, what):
    file.write_text(f"include = [{what}]\n" + file.read_text())


@pytest.fixture(scope="module")
def served():
    """A daemon under load all the time, and its good text."""
    with Origin("a") as origin, Lbd(GOOD % origin.port) as lbd:
        workers = lbd.workers()
        with Load(lbd.port("web"), connections=4) as kept, Load(lbd.port("web"), connections=2, once=True) as once:
            yield lbd, GOOD % origin.port, kept
        for load in (kept, once):
            assert (load.lost, load.refused, set(load.answered)) == (0, 0, {200})
        assert lbd.workers() == workers


def refused(lbd, load, spoil, good, reason):
    """Spoil it, see it refused for that reason while all is served, and mend it."""
    before = len(lbd.logged("reload refused; the old configuration serves on"))
    spoil()
    lbd.send(signal.SIGHUP)
    until(lambda: len(lbd.logged("reload refused; the old configuration serves on")) > before, "it is refused")
    until(lambda goal=load.total + 20: load.total > goal, "it serves on")
    status = lbd.status()
    assert not status["last_reload"]["success"]
    assert status["last_reload"]["error"]
    assert reason in status["last_reload"]["error"]
    assert status["generation"] == 1
    assert "lbd_config_last_reload_success 0" in lbd.metrics()
    if lbd.file.is_dir():
        shutil.rmtree(lbd.file)
    elif lbd.file.is_symlink() or lbd.file.exists():
        lbd.file.unlink()
    lbd.write(good)
    lbd.send(signal.SIGHUP)
    until(lambda: lbd.status()["last_reload"]["success"], "the good file is taken")
    assert lbd.status()["generation"] == 1


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_is_refused_and_serving_goes_on(served, edit):
    lbd, good, load = served
    change, reason = EDITS[edit]
    refused(lbd, load, lambda: lbd.write(change(good)), good, reason)


@pytest.mark.parametrize("spoilt", FILES)
def test_a_file_that_is_none_is_refused_and_serving_goes_on(served, spoilt):
    lbd, good, load = served
    spoil, reason = FILES[spoilt]
    refused(lbd, load, lambda: spoil(lbd.file), good, reason)

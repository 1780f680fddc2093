"""Edits that cannot be: each is refused with its reason, and the old configuration serves on without a hitch."""

import signal

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

# What is done to the good text, and words of the reason.
EDITS = {
    "half a file": (lambda text: text[:len(text) // 2], ""),
    "nothing at all": (lambda text: "", "listeners"),
    "no TOML": (lambda text: text + "\n= = =\n", ""),
    "an unknown key": (lambda text: text.replace("backend =", "bakend ="), 'did you mean "backend"'),
    "a wrong type": (lambda text: text.replace('"app"', "5"), "listeners.web.backend"),
    "a dangling name": (lambda text: text.replace('"app"', '"ap"'), "ap"),
    "an unknown algorithm": (lambda text: text + 'algorithm = "rund-robin"\n', "rund-robin"),
    "an address nobody has": (lambda text: text.replace('"127.0.0.1:$web"', '["127.0.0.1:$web", "192.0.2.1:80"]'),
                              "no interface of this machine has that address"),
    "a file that is not there": (lambda text: text + '[errors]\n503 = "/nowhere/503.html"\n', "/nowhere/503.html"),
}


@pytest.fixture(scope="module")
def served():
    with Origin("a") as origin, Lbd(GOOD % origin.port) as lbd:
        yield lbd, GOOD % origin.port


@pytest.mark.parametrize("edit", EDITS)
def test_it_is_refused_and_serving_goes_on(served, edit):
    lbd, good = served
    change, reason = EDITS[edit]
    workers = lbd.workers()
    refused = len(lbd.logged("reload refused; the old configuration serves on"))
    with Load(lbd.port("web"), connections=4) as load:
        lbd.write(change(good))
        lbd.send(signal.SIGHUP)
        until(lambda: len(lbd.logged("reload refused; the old configuration serves on")) > refused, "it is refused")
        until(lambda goal=load.total + 50: load.total > goal, "it serves on")
        status = lbd.status()
        assert not status["last_reload"]["success"]
        assert reason in status["last_reload"]["error"]
        assert status["generation"] == 1
        assert "lbd_config_last_reload_success 0" in lbd.metrics()
        lbd.write(good)
        lbd.send(signal.SIGHUP)
        until(lambda: lbd.status()["last_reload"]["success"], "the good file is taken")
    assert load.lost == load.refused == 0
    assert set(load.answered) == {200}
    assert lbd.workers() == workers

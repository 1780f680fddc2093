"""A daemon that was given its configuration on standard input: `lbd -c -`."""

import signal
import subprocess
import sys

import pytest
from lbd_process import ROOT, Lbd, until
from origin import Origin

TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
max_idle = %d
[backends.app.servers]
a = "127.0.0.1:%d"
"""
# The last -c wins; $5 is the file that `Lbd` writes.
INPUT = {"prefix": ("sh", "-c", 'exec "$@" < "$5"', "sh"), "options": ("-c", "-")}


def command(lbd, *words):
    return subprocess.run([sys.executable, "-m", "lbd", *words, "--admin", f"unix:{lbd.path}/admin.sock"], cwd=ROOT,
                          text=True, capture_output=True, timeout=100)


def test_it_serves_and_whatever_would_read_it_again_is_refused():
    with Origin("a") as origin, Lbd(TEXT % (5, origin.port), **INPUT) as lbd:
        assert lbd.get("web")[0] == 200
        lbd.write(TEXT % (6, origin.port))      # nobody looks at the file that was redirected
        for words in (("reload",), ("upgrade",), ("plan",)):
            done = command(lbd, *words)
            assert (done.returncode, done.stdout) == (1, ""), words
            assert "the configuration came from standard input" in done.stderr
        lbd.send(signal.SIGHUP)
        until(lambda: len(lbd.logged("reload refused; the old configuration serves on")) == 2, "the refusal by SIGHUP")
        done = command(lbd, "plan", "-c", str(lbd.file))
        assert (done.returncode, "max_idle: 5 -> 6" in done.stdout) == (2, True)
        status = lbd.status()
        assert (status["watch"], status["generation"]) == ("off", 1)
        assert lbd.get("web")[0] == 200
        assert lbd.stop() == 0


@pytest.mark.parametrize(("text", "code", "said"), [
    ("", 1, "<stdin>: "), ("[listeners\n", 1, "<stdin>:1:11: not valid TOML"),
    ("[listeners.web]\nbind = 80\n", 1, "<stdin>:1:12: listeners.web: a listener needs")])
def test_what_is_wrong_with_it_is_said_with_its_place(text, code, said):
    for words in (("-c", "-"), ("check", "-c", "-"), ("-t", "-c", "-")):
        done = subprocess.run([sys.executable, "-m", "lbd", *words], cwd=ROOT, input=text, text=True,
                              capture_output=True, timeout=60)
        assert (done.returncode, done.stderr.startswith(said)) == (code, True), done.stderr

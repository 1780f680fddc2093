"""A daemon that was given its configuration on standard input: `lbd -c -`."""

import signal
import subprocess
import sys

import pytest
from lbd_process import ROOT, Lbd, until
from origin import Origin

from lbd.cli.command_line import main

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


def test_it_serves_and_whatever_would_read_it_again_is_refused(capsys):
    def command(*words):
        code = main([*words, "--admin", f"unix:{lbd.path}/admin.sock"])
        return code, *capsys.readouterr()

    with Origin("a") as origin, Lbd(TEXT % (5, origin.port), **INPUT) as lbd:
        assert lbd.get("web")[0] == 200
        lbd.write(TEXT % (6, origin.port))      # nobody looks at the file that was redirected
        for words in (("reload",), ("upgrade",), ("plan",)):
            code, out, error = command(*words)
            assert (code, out) == (1, ""), words
            assert "the configuration came from standard input" in error
        lbd.send(signal.SIGHUP)
        until(lambda: len(lbd.logged("reload refused; the old configuration serves on")) == 2, "the refusal by SIGHUP")
        code, out, _ = command("plan", "-c", str(lbd.file))
        assert (code, "max_idle: 5 -> 6" in out) == (2, True)
        status = lbd.status()
        assert (status["watch"], status["generation"]) == ("off", 1)
        assert lbd.get("web")[0] == 200
        assert lbd.stop() == 0


@pytest.mark.parametrize(("words", "text", "said"), [
    (("-c", "-"), "", "<stdin>: "), (("check", "-c", "-"), "[listeners\n", "<stdin>:1:11: not valid TOML"),
    (("-t", "-c", "-"), "[listeners.web]\nbind = 80\n", "<stdin>:1:12: listeners.web: a listener needs")])
def test_what_is_wrong_with_it_is_said_with_its_place(words, text, said):
    done = subprocess.run([sys.executable, "-m", "lbd", *words], cwd=ROOT, input=text, text=True,
                          capture_output=True, timeout=60)
    assert (done.returncode, done.stderr.startswith(said)) == (1, True), done.stderr

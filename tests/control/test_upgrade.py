"""The proof that an upgrade needs, and an exec that fails."""

import os
import signal

import pytest

from lbd import __version__
from lbd.control import upgrade
from lbd.errors import LbdError


def test_this_version_takes_a_good_configuration(tmp_path):
    file = tmp_path / "lbd.toml"
    file.write_text('[listeners.web]\nbind = "127.0.0.1:8080"\nbackend = "a"\n'
                    '[backends.a.servers]\na = "10.0.0.1:80"\n')
    assert upgrade.prove(["-c", str(file)]) == __version__
    file.write_text("nonsense")
    with pytest.raises(LbdError, match="does not take the running configuration"):
        upgrade.prove(["-c", str(file)])


def test_a_python_that_is_gone(monkeypatch, tmp_path):
    monkeypatch.setattr(upgrade.sys, "executable", str(tmp_path / "none"))
    with pytest.raises(LbdError, match="cannot be run"):
        upgrade.prove([])
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    memory = os.memfd_create("x")
    with pytest.raises(FileNotFoundError):
        upgrade.become([], memory)
    os.close(memory)
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_who_gave_up_root_is_told_to_restart():
    with pytest.raises(LbdError, match="restart it instead"):
        upgrade.prove([], "nobody")

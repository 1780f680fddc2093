"""The key of sticky cookies: made once, kept, the same from the same text, and never needed without need."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from lbd.errors import LbdError
from lbd.generation.secret import sticky_secret
from lbd.schema import AlgorithmConfig, BackendConfig, Config, Global, ListenerConfig, Sticky
from lbd.schema.units import Address

STICKY = Config(backends={"app": BackendConfig(sticky=Sticky())})


def test_no_key_is_made_where_nothing_is_sticky(tmp_path: Path) -> None:
    assert sticky_secret(Config(backends={"app": BackendConfig()}), str(tmp_path)) == b""
    assert os.listdir(tmp_path) == []


def test_the_key_is_made_once_for_the_owner_only(tmp_path: Path) -> None:
    key = sticky_secret(STICKY, str(tmp_path))
    assert len(key) == 32
    assert sticky_secret(STICKY, str(tmp_path)) == key
    assert stat.S_IMODE((tmp_path / "sticky.key").stat().st_mode) == 0o600


def test_sticky_round_robin_needs_one_too(tmp_path: Path) -> None:
    config = Config(backends={"app": BackendConfig(algorithm=AlgorithmConfig("sticky-round-robin"))})
    assert sticky_secret(config, str(tmp_path)) != b""


def test_a_key_of_another_length_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "sticky.key").write_bytes(b"short")
    key = sticky_secret(STICKY, str(tmp_path))
    assert len(key) == 32
    assert (tmp_path / "sticky.key").read_bytes() == key


def test_a_given_text_makes_the_same_key_everywhere_and_no_file(tmp_path: Path) -> None:
    config = replace(STICKY, global_=Global(sticky_secret="a phrase of some length"))
    key = sticky_secret(config, str(tmp_path))
    assert key == sticky_secret(config, "/nowhere")
    assert key != sticky_secret(replace(STICKY, global_=Global(sticky_secret="another")), "/nowhere")
    assert os.listdir(tmp_path) == []


def test_without_a_directory_only_cookies_need_a_given_text() -> None:
    bind = Address("127.0.0.1", 0),
    tcp = replace(STICKY, listeners={"web": ListenerConfig(bind=bind, mode="tcp", backend="app")})
    assert sticky_secret(tcp, "") == b""
    http = replace(STICKY, listeners={"web": ListenerConfig(bind=bind, backend="app")})
    with pytest.raises(LbdError, match=r'it is "off" since the start.*set global\.sticky_secret, or restart'):
        sticky_secret(http, "")
    assert sticky_secret(replace(http, global_=Global(sticky_secret="a phrase of some length")), "")


def test_a_directory_that_cannot_be_used_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LbdError, match=r"state_dir.*sticky\.key.*set global\.sticky_secret"):
        sticky_secret(STICKY, str(tmp_path / "missing"))

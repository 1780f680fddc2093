"""Tests of lbd.schema.daemon: the daemon's own sections."""

from lbd.schema.daemon import Admin, Global, MetricsConfig
from lbd.schema.units import Address


def test_nothing_listens_beyond_this_machine_unless_told_to() -> None:
    assert Admin().bind == Address(path="/run/lbd/admin.sock")
    assert Admin().mode == 0o600
    assert MetricsConfig().bind is None


def test_nobody_is_trusted_unless_named() -> None:
    assert Global().trusted_proxies == ()

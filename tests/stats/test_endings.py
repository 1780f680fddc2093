"""Tests of lbd.stats.endings: names and numbers that other processes and dashboards rely on."""

import re

from lbd.stats import endings
from lbd.stats.endings import ENDINGS


def test_names_are_unique_and_fit_a_label() -> None:
    names = [ending.name for ending in ENDINGS]
    assert len(set(names)) == len(names) <= endings.ROOM
    assert all(re.fullmatch("[a-z]+(-[a-z]+)*", name) for name in names)


def test_constants_are_named_as_their_endings() -> None:
    for index, ending in enumerate(ENDINGS):
        assert getattr(endings, ending.name.upper().replace("-", "_")) == index


def test_every_ending_says_who_what_and_why() -> None:
    blamed = {endings.NOBODY, endings.CLIENT, endings.SERVER, endings.LBD, endings.OPERATOR}
    for ending in ENDINGS:
        assert ending.blame in blamed
        assert ending.status == 0 or 400 <= ending.status <= 504
        assert ending.text
        assert not ending.text.endswith(".")
        assert "\n" not in ending.text


def test_numbers_never_change() -> None:
    """Append to this list; a counter of a running worker must not change its meaning."""
    assert [ending.name for ending in ENDINGS] == [
        "ok", "answered", "tunnel-closed", "tunnel-timeout", "client-closed", "client-reset", "client-header-timeout",
        "client-body-timeout", "client-slow", "bad-request", "head-too-large", "uri-too-long", "body-too-large",
        "no-route", "method-refused", "denied", "over-limit", "misdirected", "connect-refused", "connect-failed",
        "connect-timeout", "server-timeout", "server-body-timeout", "server-closed", "server-reset", "bad-response",
        "server-cut", "no-server", "queue-full", "queue-timeout", "drain-cut", "shutdown-cut", "backend-gone",
        "internal-error", "backend-full", "server-down", "out-of-resources",
        "proxy-untrusted", "proxy-header", "proxy-timeout", "tls-failed", "tls-timeout", "tls-plain", "tls-certificate",
        "server-tls", "half-closed-timeout", "bad-client-hello", "client-hello-timeout", "listener-full", "client-full",
        "accept-rate", "coding-refused", "tls-name", "tls-protocol",
        "operator-cut", "filter-timeout", "filter-failed",
    ]

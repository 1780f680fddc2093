"""Errors of checks in a few words."""

import errno

import pytest

from lbd.health.check import words


@pytest.mark.parametrize(("error", "text"), [
    (TimeoutError(), "timeout"),
    (ConnectionRefusedError(errno.ECONNREFUSED, "x"), "connection refused"),
    (OSError(errno.ENOSPC, "No space"), "No space"),
    (EOFError(), "connection closed"),
    (ValueError("odd"), "odd"),
    (KeyError(), "KeyError"),
])
def test_words(error, text):
    assert words(error) == text

"""Other namespaces for what a test runs (unshare(1))."""

import subprocess

import pytest


def unshared(*options: str) -> list[str]:
    """The words before a command that put it in new namespaces; skips the test where that is not permitted."""
    words = ["unshare", *options]
    try:
        tried = subprocess.run([*words, "true"], capture_output=True, text=True, timeout=20)
    except OSError:
        pytest.skip("no unshare")
    if tried.returncode:
        pytest.skip(f"namespaces are not permitted here: {tried.stderr.strip()}")
    return words

"""The kernels: how those of this installation were built."""

from lbd.http import head
from lbd.stats import scoreboard


def build_of_kernels() -> str:
    """`compiled`, or `not compiled` where Python runs in their place."""
    files = [str(getattr(module, "__file__", "")) for module in (head, scoreboard)]
    return "compiled" if all(file.endswith(".so") for file in files) else "not compiled"

"""Asking servers whether they are well: one kind of check a file."""

from collections.abc import Mapping

from lbd.health import exec, http, tcp, tls
from lbd.health.check import Kind

CHECKS: Mapping[str, Kind] = {
    "http": http,
    "tcp": tcp,
    "tls": tls,
    "exec": exec,
}

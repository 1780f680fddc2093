"""Health checks, one kind a file, and the schedule that runs them; imports backend and below."""

from collections.abc import Mapping

from lbd.health import exec, http, tcp, tls
from lbd.health.check import Kind

CHECKS: Mapping[str, Kind] = {
    "http": http,
    "tcp": tcp,
    "tls": tls,
    "exec": exec,
}

"""Health checks, one kind a file, and the schedule that runs them; imports exchange and below."""

from collections.abc import Mapping

from lbd.health import exec, http, tcp, tls
from lbd.health.check import CheckKind

CHECKS: Mapping[str, CheckKind] = {
    "http": CheckKind(http.HttpOptions, http.check),
    "tcp": CheckKind(tcp.TcpOptions, tcp.check),
    "tls": CheckKind(tls.TlsOptions, tls.check),
    "exec": CheckKind(exec.ExecOptions, exec.check),
}

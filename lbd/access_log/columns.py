"""The columns: every field that a line of the access log can have, one line each, in the order in which they stand."""

from typing import NamedTuple


class LogColumn(NamedTuple):
    """A column of a line. `header` is the field of the request head that it comes from, lower case, else empty. A name
    in brackets can be in no request: the field is added for the log alone."""

    name: str
    text: str
    header: str = ""


COLUMNS = (
    LogColumn("time", "when the request head was there, UTC"),
    LogColumn("listener", "name of the listener"),
    LogColumn("route", "number of its route, from 0; null: none of them took it"),
    LogColumn("backend", "name of the backend; null: lbd answered itself"),
    LogColumn("server", "name of the server that had it last; null: none"),
    LogColumn("client", "address of the client, as trusted proxies tell it"),
    LogColumn("method", "method of the request; null: no request could be read"),
    LogColumn("target", "path and query as they came"),
    LogColumn("protocol", "HTTP/1.0 or HTTP/1.1"),
    LogColumn("host", "the Host field", "host"),
    LogColumn("status", "status that the client got; 0: none"),
    LogColumn("bytes_in", "bytes of the request"),
    LogColumn("bytes_out", "bytes of the response"),
    LogColumn("queue", "seconds until a server was chosen; null: none was"),
    LogColumn("connect", "seconds to open the connection to the server; null: one was open"),
    LogColumn("first_byte", "seconds until the head of the response; null: none came"),
    LogColumn("total", "seconds from the request head to the end of it all"),
    LogColumn("retries", "servers that failed it before"),
    LogColumn("ending", "how it ended, one word of the table of endings"),
    LogColumn("reason",
              "for people: in which way request or response was wrong, or no connection came about; null: none"),
    LogColumn("id", "X-Request-Id as the server got it", "x-request-id"),
    LogColumn("generation", "number of the configuration in force"),
    LogColumn("worker", "process id of the worker"),
    LogColumn("referer", "the Referer field", "referer"),
    LogColumn("user_agent", "the User-Agent field", "user-agent"),
    LogColumn("tls_version", "version of TLS that the client speaks; null: none", "(tls-version)"),
    LogColumn("tls_cipher", "cipher suite of the client's connection", "(tls-cipher)"),
    LogColumn("sni", "host name that the client asked for in TLS", "(sni)"),
    LogColumn("unix", "when the request head was there, seconds since 1970"),
    LogColumn("client_port", "port of `client`, as a PROXY header tells it; null: the client is known by a field only"),
)
NAMES = tuple(column.name for column in COLUMNS)
DEFAULT = NAMES[:NAMES.index("worker")]

"""The columns: every field that a line of the access log can have, one line each, in the order in which they stand."""

from typing import NamedTuple


class Column(NamedTuple):
    """One field. `header` is the field of the request head that it comes from, lower case, else empty. One in brackets
    can be in no request: it is put there for the log alone."""

    name: str
    text: str
    header: str = ""


COLUMNS = (
    Column("time", "when the request head was there, UTC"),
    Column("listener", "name of the listener"),
    Column("route", "number of its route, from 0; null: none of them took it"),
    Column("backend", "name of the backend; null: lbd answered itself"),
    Column("server", "name of the server that had it last; null: none"),
    Column("client", "address of the client, as trusted proxies tell it"),
    Column("method", "method of the request; null: no request could be read"),
    Column("target", "path and query as they came"),
    Column("protocol", "HTTP/1.0 or HTTP/1.1"),
    Column("host", "the Host field", "host"),
    Column("status", "status that the client got; 0: none"),
    Column("bytes_in", "bytes of the request"),
    Column("bytes_out", "bytes of the response"),
    Column("queue", "seconds until a server was chosen; null: none was"),
    Column("connect", "seconds to open the connection to the server; null: one was open"),
    Column("first_byte", "seconds until the head of the response; null: none came"),
    Column("total", "seconds from the request head to the end of it all"),
    Column("retries", "servers that failed it before"),
    Column("ending", "how it ended, one word of the table of endings"),
    Column("reason", "for people: in which way request or response was wrong, or no connection came about; null: none"),
    Column("id", "X-Request-Id as the server got it", "x-request-id"),
    Column("generation", "number of the configuration in force"),
    Column("worker", "process id of the worker"),
    Column("referer", "the Referer field", "referer"),
    Column("user_agent", "the User-Agent field", "user-agent"),
    Column("tls_version", "version of TLS that the client speaks; null: none", "(tls-version)"),
    Column("tls_cipher", "cipher suite of the client's connection", "(tls-cipher)"),
    Column("sni", "host name that the client asked for in TLS", "(sni)"),
    Column("unix", "when the request head was there, seconds since 1970"),
    Column("client_port", "port of `client`, as a PROXY header tells it; null: the client is known by a field only"),
)
NAMES = tuple(column.name for column in COLUMNS)
DEFAULT = NAMES[:NAMES.index("worker")]

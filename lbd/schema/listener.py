"""Keys of [listeners.NAME] and of its routes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lbd.schema import units as u
from lbd.schema.filters import FILTERS, FilterConfig
from lbd.schema.keepalive import KEEPALIVE, USER_TIMEOUT, Keepalive
from lbd.schema.keys import REBIND, REQUIRED, RESTART, Key, key, optional, table
from lbd.schema.timeouts import Timeouts
from lbd.schema.tls import HTTPS, ListenerTls
from lbd.schema.units import Address, Network


@dataclass(frozen=True, slots=True)
class Redirect:
    """`redirect`: answers with a Location; `{host}`, `{path}` and `{query}` stand for the request's own."""

    to: str = key(REQUIRED, u.REDIRECT, "URL to send the client to", example="https://{host}{path}")
    status: int = key(302, u.choice_of(301, 302, 303, 307, 308), "301, 302, 303, 307 or 308")


@dataclass(frozen=True, slots=True)
class Respond:
    """`respond`: a fixed answer."""

    status: int = key(200, u.integer(200, 599), "status of the answer")
    body: str = key("", u.TEXT, "body of the answer")
    content_type: str = key("text/plain; charset=utf-8", u.FIELD_VALUE, "Content-Type of the body")


@dataclass(frozen=True, slots=True)
class RouteConfig:
    """[[listeners.NAME.routes]]: all conditions that are given must hold; the first route that matches wins."""

    sni: str | None = key(None, u.HOST_PATTERN, "in tcp: the name a TLS client asks for, written as for host",
                          example="db.example.com")
    alpn: tuple[str, ...] = key([], u.ALPN, "in tcp: protocols of which a TLS client offers one")
    host: str | None = key(None, u.HOST_PATTERN, 'exact, or "*.example.com" for every name below it',
                           example="api.example.com")
    path: str | None = key(None, u.URL_PATH, "the whole path, percent-decoded, without the query", example="/login")
    path_prefix: str | None = key(
        None, u.URL_PATH, "how the path begins; /v1 does not match /v10, /v1/ matches below it", example="/v1/")
    path_regex: str | None = key(None, u.REGEX, "RE2 pattern that the whole path must match", example="/v[0-9]+/.*")
    method: tuple[str, ...] = key([], u.METHODS, "one method or several")
    header: Mapping[str, str] = key({}, u.HEADER_MATCH, 'field = "value", or "*" for any value')
    backend: str | None = key(None, u.NAME, "where the request goes", example="app")
    redirect: Redirect | None = optional(Redirect, "answer with a redirect instead")
    respond: Respond | None = optional(Respond, "give a fixed answer instead")
    strip_prefix: str | None = key(None, u.URL_PATH, "taken off the path before it is sent on", example="/v1")
    filters: tuple[FilterConfig, ...] = key(
        [], FILTERS, 'your own filters, "package.module:Class" or { use = …, options }, behind the listener\'s')
    access_log: bool = key(True, u.BOOL, "lines in the access log; false: none for its requests, however they end")


@dataclass(frozen=True, slots=True)
class ListenerConfig:
    """[listeners.NAME]: sockets, and the way of the requests that they accept."""

    bind: tuple[Address, ...] = key(REQUIRED, u.BINDS, "IP:PORT, [IPv6]:PORT, unix:PATH or unix:@NAME; one or several",
                                    REBIND, example=["127.0.0.1:8080"])
    mode: str = key("http", u.choice("http", "tcp"), "http or tcp", "drain")
    backend: str | None = key(None, u.NAME, "where a request goes that no route takes", example="app")
    routes: tuple[RouteConfig, ...] = field(default=(), metadata={"key": Key(
        None, None, "which request goes where; first match wins", section=RouteConfig, many=True)})
    allow: tuple[Network, ...] = key([], u.NETWORKS, "networks that may connect; empty: all")
    deny: tuple[Network, ...] = key([], u.NETWORKS, "networks that may not connect, even if allowed")
    proxy_protocol: bool = key(
        False, u.BOOL, "each connection begins with a PROXY header (v1 or v2); from trusted_proxies only")
    max_connections: int | None = key(
        None, u.integer(1, 10_000_000), "open connections, of all workers; more are closed at once", example=10_000)
    max_connections_per_client: int | None = key(
        None, u.integer(1, 1_000_000), "open connections of one address, in each worker; more are closed at once",
        example=100)
    accept_rate: int | None = key(
        None, u.integer(1, 1_000_000), "new connections within a second, of all workers; more are closed at once",
        example=1000)
    backlog: int = key(4096, u.integer(1, 65535), "connections that wait to be accepted, per worker", REBIND)
    unix_mode: int = key("0666", u.FILE_MODE, "who may connect to its Unix sockets, whatever the umask", REBIND)
    unix_user: str | None = key(None, u.LINE, "owner of its Unix sockets; default: lbd; another needs a start as root",
                                REBIND, example="www-data")
    unix_group: str | None = key(None, u.LINE, "group of its Unix sockets; default: lbd's", REBIND, example="proxies")
    interface: str | None = key(None, u.INTERFACE, "only what comes in by this network interface (SO_BINDTODEVICE)",
                                RESTART, example="eth0")
    freebind: bool = key(False, u.BOOL, "bind addresses that this machine does not have yet (IP_FREEBIND)", REBIND)
    v6only: bool = key(True, u.BOOL, "IPv6 addresses take no IPv4; false: [::] takes both", RESTART)
    fast_open: bool = key(False, u.BOOL, "clients may send with the SYN (TCP_FASTOPEN)", REBIND)
    defer_accept: bool = key(
        False, u.BOOL, "accept only when data came (TCP_DEFER_ACCEPT); not where servers speak first", REBIND)
    tcp_keepalive: Keepalive | None = key(
        None, KEEPALIVE, 'probe silent clients (true: after "2m", every "30s", 4 times); default: true in tcp, false '
        "in http", example={"idle": "2m", "interval": "30s", "count": 4})
    tcp_user_timeout: float | None = key(
        None, USER_TIMEOUT,
        "longest wait for the acknowledgement of what was sent to a client; default: the kernel's",
        example="30s")
    max_head: int = key("32KiB", u.size(1024, 2**20), "longest request head; 431 beyond")
    max_headers: int = key(100, u.integer(1, 1000), "most fields in a request head; 431 beyond")
    max_uri: int = key("8KiB", u.size(64, 2**20), "longest request target; 414 beyond")
    underscores: str = key("drop-lookalikes", u.choice("drop-lookalikes", "pass", "refuse"),
                           "names of request fields with an underscore; drop-lookalikes: what CGI takes for a field "
                           "known to lbd goes; pass: only for one that lbd sets; refuse: 400")
    max_body: int | None = key(None, u.SIZE, "longest request body; 413 beyond; default: unlimited", example="10MB")
    forwarded: bool = key(False, u.BOOL, "add the Forwarded field of RFC 7239 too")
    filters: tuple[FilterConfig, ...] = key(
        [], FILTERS, 'your own filters, "package.module:Class" or { use = …, options }; requests pass them before they '
        "are routed")
    timeouts: Timeouts = table(Timeouts, "instead of those of [timeouts]")
    tls: ListenerTls | None = optional(ListenerTls, "end TLS here")
    access_log: bool = key(True, u.BOOL, "lines in the access log; false: none, on no route of it")
    https_redirect: int = key(False, HTTPS, "redirect to https what no route takes, to port 443 (true) or another")

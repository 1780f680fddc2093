"""Every key of the configuration, one line each: name, type, default, kind, text, and what a reload does with it.

The classes are the table: the reader, `lbd schema`, the JSON Schema, `conf/lbd.toml` and the tests are all made from
their fields, and the rest of lbd uses their instances. Durations are seconds (float), sizes bytes (int).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lbd.config import units as u
from lbd.config.keys import LIVE as LIVE
from lbd.config.keys import REBIND as REBIND
from lbd.config.keys import REQUIRED as REQUIRED
from lbd.config.keys import RESTART as RESTART
from lbd.config.keys import Key as Key
from lbd.config.keys import Reload as Reload
from lbd.config.keys import key as key
from lbd.config.keys import keys as keys
from lbd.config.keys import named, optional, table
from lbd.config.packed import packed
from lbd.config.tls import HTTPS
from lbd.config.tls import BackendTls as BackendTls
from lbd.config.tls import ListenerTls as ListenerTls
from lbd.config.units import Address, Network

# Names of the whole design: those that are not there yet are told apart from mistyped ones.
ALGORITHM_NAMES = (
    "round-robin", "sticky-round-robin", "weighted-round-robin", "least-connections", "least-time", "url-hash",
    "source-ip-hash", "consistent-hash", "threshold", "random-two-choices", "random", "first", "maglev")
CHECK_NAMES = ("http", "tcp", "tls", "exec")


@dataclass(frozen=True, slots=True)
class Global:
    """[global]: the daemon as a whole."""

    workers: int = key("auto", u.WORKERS, 'worker processes, 1 to 64; "auto" is one per usable CPU')  # 0 = auto
    drain_timeout: float = key("30s", u.DURATION, "the longest that removed servers and listeners keep their work")
    state_dir: str = key("/var/lib/lbd", u.FILE, "directory of registered servers and runtime overrides", RESTART)
    trusted_proxies: tuple[Network, ...] = key(
        [], u.NETWORKS, "networks whose X-Forwarded-*, Forwarded and PROXY headers are believed")
    explain_to: tuple[Network, ...] = key(
        [], u.NETWORKS, "networks of clients that get the X-Lbd-Explain field, on new connections")
    user: str | None = key(None, u.LINE, "user to run as after binding; needs a start as root", RESTART, example="lbd")
    group: str | None = key(None, u.LINE, "group to run as after binding; default: the user's", RESTART, example="lbd")
    max_connections: int | None = key(
        None, u.integer(1, 10_000_000), "client connections of all workers together; default from the descriptor limit",
        example=100_000)
    shutdown_delay: float = key("0s", u.DURATION, "how long /readyz says 503 before a stop while lbd still accepts")
    sticky_secret: str | None = key(
        None, u.LINE, "key of the cookies of sticky backends, the same on every machine; default: one in state_dir",
        example="at least 16 characters")
    watch: bool = key(True, u.BOOL, "reload when a configuration file changes")
    include_mode: str = key("strict", u.choice("strict", "last-good"),
                            "what a broken included file does to a reload: refuse it, or keep its last good version")


@dataclass(frozen=True, slots=True)
class Log:
    """[log]: the daemon's own log and the access log."""

    level: str = key("info", u.choice("debug", "info", "warning", "error"), "least level that is written")
    format: str = key("auto", u.choice("auto", "json", "console"), "auto is console on a terminal, json elsewhere")
    access: str = key("off", u.ACCESS, "off, stdout, a file, or unix:/dev/log: one line per request")
    access_format: str = key("json", u.choice("json", "common", "combined"), "JSON, or the common log format")
    access_fields: tuple[str, ...] = key(
        [], u.ACCESS_COLUMNS, "what a JSON line says; empty: all but worker, referer, user_agent, unix")
    access_sample: float = key("100%", u.PERCENT, "share of the requests that is logged; failures always are")


@dataclass(frozen=True, slots=True)
class AdminTls:
    """[admin.tls]: TLS on a TCP address of the admin interface."""

    cert: str = key(REQUIRED, u.FILE, "PEM file with its certificate and those between it and a known authority",
                    RESTART, example="/etc/lbd/admin.pem")
    key_file: str | None = key(None, u.FILE, "PEM file with the private key; default: it is in cert", RESTART,
                               name="key", example="/etc/lbd/admin.key")
    client_ca: str | None = key(None, u.FILE, "PEM file of authorities; clients must have a certificate of theirs",
                                RESTART, example="/etc/lbd/operators.pem")


@dataclass(frozen=True, slots=True)
class Admin:
    """[admin]: where lbd is asked and steered."""

    bind: Address = key("unix:/run/lbd/admin.sock", u.BIND, "Unix socket, or HOST:PORT with token_file", RESTART)
    token_file: str | None = key(None, u.FILE, "file with the bearer tokens that a TCP address needs", RESTART,
                                 example="/etc/lbd/token")
    hosts: tuple[str, ...] = key([], u.TEXTS, "host names by which browsers may reach a TCP address", RESTART)
    mode: int = key("0600", u.FILE_MODE, "who may use a Unix socket; whoever may can do everything", RESTART)
    group: str | None = key(None, u.LINE, "group of a Unix socket; default: that of the process", RESTART,
                            example="operators")
    tls: AdminTls | None = optional(AdminTls, "TLS on a TCP address", reload=RESTART)


@dataclass(frozen=True, slots=True)
class Metrics:
    """[metrics]: /metrics, /healthz and /readyz, and no way to change anything."""

    bind: Address | None = key(None, u.BIND, "where Prometheus scrapes; default: nowhere", REBIND,
                               example="127.0.0.1:9405")
    buckets: tuple[float, ...] = key(
        ["1ms", "2ms", "5ms", "10ms", "20ms", "50ms", "100ms", "200ms", "500ms", "1s", "2s", "5s", "10s", "20s", "30s",
         "60s"], u.BUCKETS, "upper bounds of the histograms of response times", RESTART)
    per_server_histograms: bool = key(False, u.BOOL, "a histogram of response times per server too")
    max_series: int = key(100_000, u.integer(100, 10_000_000), "beyond, those of single servers are left out")


@dataclass(frozen=True, slots=True)
class Tracing:
    """[tracing]: spans for OpenTelemetry (W3C Trace Context). OTEL_EXPORTER_OTLP_* of the environment count too."""

    enabled: bool = key(False, u.BOOL, "export a span per sampled request; needs the extra lbd[otel]")
    endpoint: str = key("http://127.0.0.1:4318/v1/traces", u.URL, "where a collector takes OTLP over HTTP")
    sample: float = key("100%", u.PERCENT, "share of new traces that is sampled; those of clients carry a flag")
    service: str = key("lbd", u.LINE, "service.name of the spans")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """[timeouts]: defaults; a listener or backend may override its own."""

    client_header: float = key("10s", u.duration(0.001), "from the first byte of a request to the end of its head")
    client_idle: float = key("60s", u.duration(0.001), "how long an idle client connection is kept")
    client_body: float = key("30s", u.duration(0.001), "between two reads of a request body, or writes of a response")
    connect: float = key("5s", u.duration(0.001), "for opening a connection to a server")
    server: float = key("60s", u.duration(0.001), "until the head of a response, then between reads of its body")
    server_idle: float = key("60s", u.duration(0.001), "how long an idle connection to a server is kept")
    tunnel: float = key("1h", u.duration(0.001), "how long a tunnel (WebSocket, tcp connection) may be silent")
    half_closed: float = key("5m", u.duration(0.001), "the same once one of its sides has sent its last")
    queue: float = key("5s", u.DURATION, "longest wait for a free server")


@dataclass(frozen=True, slots=True)
class HealthPolicy:
    """[health.NAME]: by which rules a server is up or down. The keys of its `type` stand in `options`."""

    type: str = key("http", u.CHECK, "http, tcp, tls or exec")
    interval: float = key("2s", u.duration(0.01), "from one check to the next")
    timeout: float = key("1s", u.duration(0.001), "for one check as a whole")
    rise: int = key(2, u.integer(1, 1000), "passes in a row that bring a server up")
    fall: int = key(3, u.integer(1, 1000), "failures in a row that take a server down")
    fast_interval: float | None = key(
        None, u.duration(0.01), "interval while rise or fall is counting; default: interval", example="500ms")
    down_interval: float | None = key(None, u.duration(0.01), "interval while down; default: interval", example="5s")
    port: int | None = key(None, u.integer(1, 65535), "port to check instead of the server's own", example=8081)
    address: str | None = key(None, u.HOST, "host to check instead of the server's own", example="10.0.0.9")
    options: Any = None


@dataclass(frozen=True, slots=True)
class HeaderEdits:
    """`request_headers` and `response_headers`: remove first, then set, then add."""

    set: Mapping[str, str] = key({}, u.EDITS, "fields that replace those of the same name")
    add: Mapping[str, str] = key({}, u.EDITS, "fields that are added")
    remove: tuple[str, ...] = key([], u.EDIT_NAMES, "fields that are left out")


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
class Route:
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


@dataclass(frozen=True, slots=True)
class Listener:
    """[listeners.NAME]: sockets, and what is done with what they accept."""

    bind: tuple[Address, ...] = key(REQUIRED, u.BINDS, "IP:PORT, [IPv6]:PORT, unix:PATH or unix:@NAME; one or several",
                                    REBIND, example=["127.0.0.1:8080"])
    mode: str = key("http", u.choice("http", "tcp"), "http or tcp", "drain")
    backend: str | None = key(None, u.NAME, "where a request goes that no route takes", example="app")
    routes: tuple[Route, ...] = field(default=(), metadata={"key": Key(
        None, None, "which request goes where; first match wins", section=Route, many=True)})
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
    interface: str | None = key(None, u.INTERFACE, "only what comes in by this network interface (SO_BINDTODEVICE)",
                                RESTART, example="eth0")
    v6only: bool = key(True, u.BOOL, "IPv6 addresses take no IPv4; false: [::] takes both", RESTART)
    fast_open: bool = key(False, u.BOOL, "clients may send with the SYN (TCP_FASTOPEN)", REBIND)
    defer_accept: bool = key(
        False, u.BOOL, "accept only when data came (TCP_DEFER_ACCEPT); not where servers speak first", REBIND)
    max_head: int = key("32KiB", u.size(1024, 2**20), "longest request head; 431 beyond")
    max_headers: int = key(100, u.integer(1, 1000), "most fields in a request head; 431 beyond")
    max_uri: int = key("8KiB", u.size(64, 2**20), "longest request target; 414 beyond")
    max_body: int | None = key(None, u.SIZE, "longest request body; 413 beyond; default: unlimited", example="10MB")
    forwarded: bool = key(False, u.BOOL, "add the Forwarded field of RFC 7239 too")
    timeouts: Timeouts = table(Timeouts, "instead of those of [timeouts]")
    tls: ListenerTls | None = optional(ListenerTls, "end TLS here")
    https_redirect: int = key(False, HTTPS, "redirect to https what no route takes, to port 443 (true) or another")


@dataclass(frozen=True, slots=True)
class Outlier:
    """[backends.NAME.outlier]: servers that fail real requests are left out for a while."""

    consecutive: int = key(5, u.integer(1, 10_000), "failures in a row that eject a server")
    base: float = key("30s", u.duration(0.1), "first ejection; the n-th lasts n times as long")
    max: float = key("300s", u.duration(0.1), "longest ejection")
    max_ejected: float = key("50%", u.PERCENT, "largest share of a backend that may be ejected")
    enforce: bool = key(True, u.BOOL, "false only counts")


@dataclass(frozen=True, slots=True)
class Sticky:
    """`sticky`: a client stays with its server."""

    cookie: str = key("LBD", u.FIELD_NAME, "name of the cookie")
    path: str = key("/", u.URL_PATH, "Path of the cookie")
    domain: str | None = key(
        None, u.HOST, "Domain of the cookie; default: the host that answers", example="example.com")
    max_age: float | None = key(
        None, u.duration(1.0), "how long browsers keep it; default: until they are closed", example="8h")
    same_site: str = key("Lax", u.choice("Lax", "Strict", "None"), "SameSite of the cookie; None needs secure")
    http_only: bool = key(True, u.BOOL, "scripts in pages cannot read it")
    secure: bool = key(False, u.BOOL, "sent over TLS only")
    lifetime: float = key(
        "30m", u.DURATION, "in tcp: how long a source address is remembered after its last connection")
    pass_cookie: bool = key(False, u.BOOL, "the server gets the cookie too")


@dataclass(frozen=True, slots=True)
class Registration:
    """`registration`: servers may add themselves to the backend; `true` stands for all defaults."""

    networks: tuple[Network, ...] = key(
        [], u.NETWORKS, "networks of their addresses; empty: any but loopback, link-local and multicast")
    most: int = key(1000, u.integer(1, 10_000), "registered servers at once")


@packed
@dataclass(frozen=True, slots=True)
class Server:
    """[backends.NAME.servers.NAME]: one address; `"HOST:PORT"` is the short form."""

    address: Address = key(REQUIRED, u.ADDRESS, "HOST:PORT, [IPv6]:PORT, unix:PATH, or https://HOST:PORT for TLS",
                           "drain", example="127.0.0.1:9002")
    weight: int = key(1, u.integer(0, 1000), "share of the traffic; 0: no new clients")
    max_conns: int | None = key(None, u.integer(1, 1_000_000), "most connections, and so requests in flight, to it",
                                example=200)
    backup: bool = key(False, u.BOOL, "used only when no other server is usable")
    mode: str = key("ready", u.choice("ready", "drain", "maint"), "what the operator wants of it")


@dataclass(frozen=True, slots=True)
class Algorithm:
    """`algorithm`: by which rule a backend chooses; the algorithm's own keys stand in `options`."""

    name: str = "weighted-round-robin"
    options: Any = None


@dataclass(frozen=True, slots=True)
class Backend:
    """[backends.NAME]: servers, and how one of them is chosen and judged."""

    algorithm: Algorithm = field(default_factory=Algorithm, metadata={"key": Key(
        u.ALGORITHM, "weighted-round-robin", "a name, or { name = …, options }")})
    servers: Mapping[str, Server] = named(Server, "by name: the name is the server's identity")
    health: str | HealthPolicy | None = key(None, u.HEALTH, "a policy's name, or one in place; default: no checks, up",
                                              example="http")
    timeouts: Timeouts = table(Timeouts, "instead of those of [timeouts]")
    send_proxy: str | None = key(None, u.choice("v1", "v2"), "begin connections to servers with a PROXY header",
                                 example="v2")
    host: str | None = key(None, u.AUTHORITY, "Host to send instead of the client's", example="app.internal")
    request_headers: HeaderEdits = table(HeaderEdits, "changes to what is sent to the server")
    response_headers: HeaderEdits = table(HeaderEdits, "changes to what is sent to the client")
    resolve: float = key("30s", u.duration(0.1), "how often host names are looked up again")
    resolve_all: bool = key(False, u.BOOL, "make one server of each address that DNS gives", "drain")
    max_idle: int = key(64, u.integer(0, 100_000), "idle connections kept per server and worker")
    max_requests: int = key(0, u.integer(0, 2**31), "requests per connection to a server; 0: no limit")
    retries: int = key(2, u.integer(0, 10), "other servers that are tried after a failure")
    abort_on_close: bool = key(False, u.BOOL, "cancel a request when the client half-closes")
    retry_on: tuple[str, ...] = key(
        [], u.RETRY_ON, 'repeats beyond safe ones: "timeout", "502", "503", "504"')
    retry_buffer: int = key("64KiB", u.SIZE, "longest body that is kept for a repeat")
    queue: int = key(1024, u.integer(0, 1_000_000), "requests that may wait for a free server")
    max_in_flight: int | None = key(None, u.integer(1, 10_000_000), "requests in flight; 503 beyond", example=1000)
    when_all_down: str = key("fail", u.choice("fail", "use-all"), "503 at once, or send to all of them")
    on_down: str = key("finish", u.choice("finish", "cut"), "requests in flight when a server goes down")
    slow_start: float = key("0s", u.DURATION, "how long a new or recovered server's weight grows; not for hashes")
    outlier: Outlier | None = optional(
        Outlier, "judge servers by real requests too (true: by the defaults)", switch=True)
    registration: Registration | None = optional(
        Registration, "servers may register themselves (true: by the defaults)", switch=True)
    sticky: Sticky | None = optional(
        Sticky, "keep a client with its server: by a cookie, in tcp by its address (true: by the defaults)",
        switch=True)
    tls: BackendTls | None = optional(
        BackendTls, "TLS to the servers (true: by the defaults); those of https:// addresses have it anyway",
        switch=True)

    @property
    def stickiness(self) -> Sticky | None:
        """How clients are kept with their servers: `sticky`, which sticky-round-robin implies."""
        if self.sticky is None and self.algorithm.name == "sticky-round-robin":
            return Sticky()
        return self.sticky


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration, as the files (or the command line) gave it."""

    include: tuple[str, ...] = key([], u.TEXTS, "more files, globs allowed; relative to this one")
    global_: Global = table(Global, "the daemon as a whole", name="global")
    log: Log = table(Log, "logs")
    admin: Admin = table(Admin, "where lbd is asked and steered")
    metrics: Metrics = table(Metrics, "where Prometheus scrapes")
    tracing: Tracing = table(Tracing, "spans for OpenTelemetry")
    timeouts: Timeouts = table(Timeouts, "defaults of all timeouts")
    health: Mapping[str, HealthPolicy] = named(HealthPolicy, "health policies, shared by name")
    listeners: Mapping[str, Listener] = named(Listener, "where lbd listens")
    backends: Mapping[str, Backend] = named(Backend, "where requests go")
    errors: Mapping[str, str] = key({}, u.ERROR_FILES, 'status = "file": own bodies of error answers',
                                    example={"503": "/etc/lbd/503.html"})
    bodies: Mapping[str, bytes] = field(default_factory=dict)   # what was in the files of `errors`, by status

"""Keys of [backends.NAME], of its servers, and of health policies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lbd.schema import units as u
from lbd.schema.edits import HeaderEdits
from lbd.schema.filters import FILTERS, FilterConfig
from lbd.schema.keepalive import KEEPALIVE, USER_TIMEOUT, Keepalive
from lbd.schema.keys import REQUIRED, Key, key, named, optional, table
from lbd.schema.packed import packed
from lbd.schema.statuses import SERVER_ERRORS, Statuses
from lbd.schema.timeouts import Timeouts
from lbd.schema.tls import BackendTls
from lbd.schema.units import Address, Network


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
class Outlier:
    """[backends.NAME.outlier]: servers that fail real requests are left out for a while."""

    statuses: Statuses = key(
        "502-504", SERVER_ERRORS, "responses that are failures, beside connections and responses that broke or took "
        "too long; for algorithms by latency too")
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
    when_full: str = key(
        "wait-then-move", u.choice("wait-then-move", "wait", "move"),
        "own server is full: wait up to `queue`, then another; only wait, then 503; or another at once")
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
class ServerConfig:
    """[backends.NAME.servers.NAME]: one address; `"HOST:PORT"` is the short form."""

    address: Address = key(REQUIRED, u.ADDRESS,
                           "HOST:PORT, [IPv6]:PORT, unix:PATH or unix:@NAME; https://HOST:PORT: TLS", "drain",
                           example="127.0.0.1:9002")
    weight: int = key(1, u.integer(0, 1000), "share of the traffic; 0: no new clients")
    max_conns: int | None = key(None, u.integer(1, 1_000_000), "most connections, and so requests in flight, to it",
                                example=200)
    backup: bool = key(False, u.BOOL, "used only when no other server is usable")
    mode: str = key("ready", u.choice("ready", "drain", "maint"), "what the operator wants of it")
    check: bool = key(True, u.BOOL, "false: no health checks of this server; it counts as up")
    check_port: int | None = key(None, u.integer(1, 65535), "port to check instead of its own or the policy's",
                                 example=8081)


@dataclass(frozen=True, slots=True)
class AlgorithmConfig:
    """`algorithm`: by which rule a backend chooses; the algorithm's own keys stand in `options`."""

    name: str = "weighted-round-robin"
    options: Any = None


@dataclass(frozen=True, slots=True)
class BackendConfig:
    """[backends.NAME]: servers, and how one of them is chosen and judged."""

    algorithm: AlgorithmConfig = field(default_factory=AlgorithmConfig, metadata={"key": Key(
        u.ALGORITHM, "weighted-round-robin", "a name, or { name = …, options }")})
    servers: Mapping[str, ServerConfig] = named(ServerConfig, "by name: the name is the server's identity")
    health: str | HealthPolicy | None = key(None, u.HEALTH, "a policy's name, or one in place; default: no checks, up",
                                            example="http")
    timeouts: Timeouts = table(Timeouts, "instead of those of [timeouts]")
    send_proxy: str | None = key(None, u.choice("v1", "v2"), "begin connections to servers with a PROXY header",
                                 example="v2")
    host: str | None = key(None, u.AUTHORITY, "Host to send instead of the client's", example="app.internal")
    request_headers: HeaderEdits = table(HeaderEdits, "changes to what is sent to the server")
    filters: tuple[FilterConfig, ...] = key(
        [], FILTERS, 'your own filters, "package.module:Class" or { use = …, options }, behind the route\'s')
    response_headers: HeaderEdits = table(HeaderEdits, "changes to what is sent to the client")
    resolve: float = key("30s", u.duration(0.1), "how often host names are looked up again")
    resolve_all: bool = key(False, u.BOOL, "make one server of each address that DNS gives", "drain")
    max_idle: int = key(64, u.integer(0, 100_000), "idle connections kept per server and worker")
    tcp_keepalive: Keepalive | None = key(
        None, KEEPALIVE, 'probe silent servers (true: after "2m", every "30s", 4 times); default: true where a tcp '
        "listener uses it, else false", example={"idle": "2m", "interval": "30s", "count": 4})
    tcp_user_timeout: float | None = key(
        None, USER_TIMEOUT, "longest wait for the acknowledgement of what was sent to a server; default: the kernel's",
        example="30s")
    max_requests: int = key(0, u.integer(0, 2**31), "requests per connection to a server; 0: no limit")
    retries: int = key(2, u.integer(0, 10), "tries after one that may have sent something; refused connects try all")
    abort_on_close: bool = key(False, u.BOOL, "cancel a request when the client half-closes")
    retry_on: tuple[str, ...] = key(
        [], u.RETRY_ON, 'repeats beyond safe ones: "timeout", "502", "503", "504"')
    retry_buffer: int = key("64KiB", u.SIZE, "longest body that is kept for a repeat")
    request_buffer: int | None = key(
        None, u.SIZE, "bytes of a request's body that are read before a server is chosen, so that a slow client holds "
        "none; all of a shorter one; default: none", example="64KiB")
    max_response_head: int = key("64KiB", u.size(1024, 2**20), "longest head of an answer; 502 beyond")
    max_response_headers: int = key(256, u.integer(1, 10_000), "most fields in the head of an answer; 502 beyond")
    lenient: tuple[str, ...] = key(
        [], u.LENIENT, 'what servers may send that HTTP/1 does not allow: "status" (600-999), "control-characters" (in '
        'values), "line-feeds" (alone, at the end of a line), "http10-chunked", "name-spaces" (white space after '
        'names; fields with some in them go)')
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
        """The settings that keep clients with their servers: `sticky`, which sticky-round-robin implies."""
        if self.sticky is None and self.algorithm.name == "sticky-round-robin":
            return Sticky()
        return self.sticky

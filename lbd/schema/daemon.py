"""Keys of the daemon as a whole: [global], [log], [admin], [metrics], [tracing]."""

from dataclasses import dataclass

from lbd.schema import units as u
from lbd.schema.keys import REBIND, REQUIRED, RESTART, key, optional
from lbd.schema.units import Address, Network, Proxy


@dataclass(frozen=True, slots=True)
class Global:
    """[global]: the daemon as a whole."""

    workers: int = key("auto", u.WORKERS,  # 0 = auto
                       'worker processes, 1 to 64; "auto" is one per usable CPU, within the CPU quota')
    drain_timeout: float = key("30s", u.DURATION, "the longest that removed servers and listeners keep their work")
    state_dir: str = key("/var/lib/lbd", u.STATE_DIR,
                         'directory of registered servers and runtime overrides; "off": they end with lbd', RESTART)
    trusted_proxies: tuple[Proxy, ...] = key(
        [], u.PROXIES, 'networks whose X-Forwarded-*, Forwarded and PROXY headers are believed; "unix": Unix sockets')
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
    access_format: str = key("json", u.choice("json", "common", "combined"),
                             "JSON, or as Apache writes it; combined: with referer and user agent")
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
    """[admin]: the address of the admin interface, and its clients."""

    bind: Address = key("unix:/run/lbd/admin.sock", u.ADMIN, 'Unix socket, or HOST:PORT with token_file; "off": none',
                        RESTART)
    token_file: str | None = key(None, u.FILE, "file with the bearer tokens that a TCP address needs", RESTART,
                                 example="/etc/lbd/token")
    hosts: tuple[str, ...] = key([], u.TEXTS, "host names by which browsers may reach a TCP address", RESTART)
    mode: int = key("0600", u.FILE_MODE, "who may use a Unix socket; whoever may can do everything", RESTART)
    group: str | None = key(None, u.LINE, "group of a Unix socket; default: that of the process", RESTART,
                            example="operators")
    tls: AdminTls | None = optional(AdminTls, "TLS on a TCP address", reload=RESTART)


@dataclass(frozen=True, slots=True)
class MetricsConfig:
    """[metrics]: /metrics, /healthz and /readyz, and no way to change anything."""

    bind: Address | None = key(None, u.BIND, "where Prometheus scrapes; default: nowhere", REBIND,
                               example="127.0.0.1:9405")
    buckets: tuple[float, ...] = key(
        ["1ms", "2ms", "5ms", "10ms", "20ms", "50ms", "100ms", "200ms", "500ms", "1s", "2s", "5s", "10s", "20s", "30s",
         "60s"], u.BUCKETS, "upper bounds of the histograms of response times", RESTART)
    per_server_histograms: bool = key(False, u.BOOL, "a histogram of response times per server too")
    max_series: int = key(100_000, u.integer(100, 10_000_000), "beyond, those of single servers are left out")


@dataclass(frozen=True, slots=True)
class TracingConfig:
    """[tracing]: spans for OpenTelemetry (W3C Trace Context). OTEL_EXPORTER_OTLP_* of the environment count too."""

    enabled: bool = key(False, u.BOOL, "export a span per sampled request; needs the extra lbd[otel]")
    endpoint: str = key("http://127.0.0.1:4318/v1/traces", u.URL, "where a collector takes OTLP over HTTP")
    sample: float = key("100%", u.PERCENT, "share of new traces that is sampled; those of clients carry a flag")
    service: str = key("lbd", u.LINE, "service.name of the spans")

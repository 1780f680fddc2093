"""Every key of the configuration, one line each: name, type, default, kind, text, effect of a reload; imports log
and below.

The classes are the table: the reader, `lbd schema`, the JSON Schema, `conf/lbd.toml` and the tests are all made from
their fields, and the rest of lbd uses their instances. Durations are seconds (float), sizes bytes (int).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lbd.schema import units as u
from lbd.schema.backend import AlgorithmConfig as AlgorithmConfig
from lbd.schema.backend import BackendConfig as BackendConfig
from lbd.schema.backend import HealthPolicy as HealthPolicy
from lbd.schema.backend import Outlier as Outlier
from lbd.schema.backend import Registration as Registration
from lbd.schema.backend import ServerConfig as ServerConfig
from lbd.schema.backend import Sticky as Sticky
from lbd.schema.daemon import Admin as Admin
from lbd.schema.daemon import AdminTls as AdminTls
from lbd.schema.daemon import Global as Global
from lbd.schema.daemon import Log as Log
from lbd.schema.daemon import MetricsConfig as MetricsConfig
from lbd.schema.daemon import TracingConfig as TracingConfig
from lbd.schema.edits import HeaderEdits as HeaderEdits
from lbd.schema.filters import FilterConfig as FilterConfig
from lbd.schema.keys import LIVE as LIVE
from lbd.schema.keys import REBIND as REBIND
from lbd.schema.keys import REQUIRED as REQUIRED
from lbd.schema.keys import RESTART as RESTART
from lbd.schema.keys import Key as Key
from lbd.schema.keys import Reload as Reload
from lbd.schema.keys import key as key
from lbd.schema.keys import keys as keys
from lbd.schema.keys import named, table
from lbd.schema.listener import ListenerConfig as ListenerConfig
from lbd.schema.listener import Redirect as Redirect
from lbd.schema.listener import Respond as Respond
from lbd.schema.listener import RouteConfig as RouteConfig
from lbd.schema.timeouts import Timeouts as Timeouts
from lbd.schema.tls import BackendTls as BackendTls
from lbd.schema.tls import ListenerTls as ListenerTls


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration, as the files (or the command line) gave it."""

    include: tuple[str, ...] = key([], u.TEXTS, "more files, globs allowed; relative to this one")
    global_: Global = table(Global, "the daemon as a whole", name="global")
    log: Log = table(Log, "logs")
    admin: Admin = table(Admin, "the admin interface: status, changes, metrics")
    metrics: MetricsConfig = table(MetricsConfig, "where Prometheus scrapes")
    tracing: TracingConfig = table(TracingConfig, "spans for OpenTelemetry")
    timeouts: Timeouts = table(Timeouts, "defaults of all timeouts")
    health: Mapping[str, HealthPolicy] = named(HealthPolicy, "health policies, shared by name")
    listeners: Mapping[str, ListenerConfig] = named(ListenerConfig, "where lbd listens")
    backends: Mapping[str, BackendConfig] = named(BackendConfig, "where requests go")
    errors: Mapping[str, str] = key({}, u.ERROR_FILES, 'status = "file": own bodies of error answers',
                                    example={"503": "/etc/lbd/503.html"})
    bodies: Mapping[str, bytes] = field(default_factory=dict)   # the content of the files of `errors`, by status

"""The place of a filter: the tables of the configuration that say what is done on a route."""

from typing import NamedTuple

from lbd import schema


class FilterPlace(NamedTuple):
    """The tables of a route; `route` is None for what no route takes, `backend` where lbd answers itself."""

    listener: schema.ListenerConfig
    route: schema.RouteConfig | None
    backend: schema.BackendConfig | None
    tracing: schema.TracingConfig

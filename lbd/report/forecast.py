"""The forecast: how many series of metrics a configuration will export at most, found by exporting them once."""

from lbd.backend.outlier import EJECTED, NOT_ENFORCED, TOO_MANY
from lbd.balance import estimate_of
from lbd.discovery.health_policies import health_check_of
from lbd.generation.worker_count import worker_count
from lbd.schema import BackendConfig, Config
from lbd.stats.scoreboard import Board
from lbd.stats.scrape import series
from lbd.stats.view import ProcessView, ServerView, View

DECISIONS = (EJECTED, NOT_ENFORCED, TOO_MANY)
BUILD = {"version": "", "python": "", "kernels": ""}


def forecast(config: Config) -> int:
    """The number of series of a plain scrape. Registered servers are not counted; a host name counts as one server."""
    routes = {(name, backend or "") for name, listener in config.listeners.items()
              for backend in (None, listener.backend, *(route.backend for route in listener.routes))}
    view = View(
        generation=1,
        servers=[_server(config, name, backend, server) for name, backend in config.backends.items()
                 for server in backend.servers],
        listeners=dict.fromkeys(config.listeners, 0),
        backends=dict.fromkeys(config.backends, 0),
        routes=dict.fromkeys(routes, 0),
        daemon={"lbd_config_reloads": dict.fromkeys((("applied",), ("unchanged",), ("refused",)), 0),
                "lbd_worker_restarts": {(str(slot),): 0 for slot in range(worker_count(config))}},
        processes=[ProcessView("supervisor"), *(ProcessView(str(slot), 0) for slot in range(worker_count(config)))],
        histograms=config.metrics.per_server_histograms,
        build=BUILD,
    )
    return series(view, Board.create(1, config.metrics.buckets))


def _server(config: Config, name: str, backend: BackendConfig, server: str) -> ServerView:
    checked = health_check_of(config, backend, backend.servers[server]) is not None
    return ServerView(
        name, server, 0,
        check_seconds=0.0 if checked else None,
        checks={"passed": 0, "failed": 0} if checked else {},
        ejections={} if backend.outlier is None else dict.fromkeys(DECISIONS, 0),
        score=0.0 if estimate_of(backend.algorithm.name) is not None else None,
        max_connections=backend.servers[server].max_conns or 0,
    )

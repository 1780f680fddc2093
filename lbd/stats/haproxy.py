"""HAProxy's names for our figures (its Prometheus exporter, addons/promex/README), so that its dashboards work."""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from lbd.stats import fields, scoreboard
from lbd.stats.scoreboard import Board
from lbd.stats.view import ServerView, View

CODES = ("1xx", "2xx", "3xx", "4xx", "5xx", "other")
STATES = ("DOWN", "UP", "MAINT", "DRAIN", "NOLB")
STATE_OF = {"up": "UP", "maint": "MAINT", "drain": "DRAIN", "ejected": "NOLB"}

# Name without its prefix, whether it is a gauge, its text, and the cell.
Cells = tuple[tuple[str, bool, str, int], ...]
SERVER: Cells = (
    ("current_sessions", True, "Number of current sessions.", fields.SERVER_IN_FLIGHT),
    ("connection_attempts", False, "Total number of attempts to connect.", fields.SERVER_CONNECTIONS_TOTAL),
    ("connection_errors", False, "Total number of failed connections.", fields.SERVER_CONNECTION_ERRORS),
    ("redispatch_warnings", False, "Total number of requests given to another server.", fields.SERVER_DROPPED),
    ("bytes_in", False, "Total number of request bytes.", fields.SERVER_BYTES_IN),
    ("bytes_out", False, "Total number of response bytes.", fields.SERVER_BYTES_OUT),
    ("used_connections_current", True, "Number of open connections.", fields.SERVER_CONNECTIONS),
)
BACKEND: Cells = (
    ("current_sessions", True, "Number of current sessions.", fields.BACKEND_IN_FLIGHT),
    ("current_queue", True, "Number of requests in the queue.", fields.BACKEND_QUEUE),
)
FRONTEND: Cells = (
    ("current_sessions", True, "Number of current sessions.", fields.LISTENER_CONNECTIONS),
    ("connections", False, "Total number of connections.", fields.LISTENER_ACCEPTED),
    ("denied_connections", False, "Total number of refused connections.", fields.LISTENER_DENIED),
)
# The same of the supervisor's knowledge of a server.
KNOWN: tuple[tuple[str, bool, str, Callable[[ServerView], float | None]], ...] = (
    ("weight", True, "Weight of the server.", lambda server: server.weight),
    ("check_failures", False, "Total number of failed checks.", lambda server: float(server.checks.get("failed", 0))),
    ("check_duration_seconds", True, "Duration of the last check.", lambda server: server.check_seconds),
)


def collect(view: View, board: Board) -> Iterator[Metric]:
    """Backends, servers and frontends under HAProxy's names; a listener is a frontend."""
    yield from _servers(view, board)
    backends = [((name,), board.totals(scoreboard.BACKEND, slot)) for name, slot in view.backends.items()]
    yield from _cells("backend", ("proxy",), BACKEND, backends)
    up = GaugeMetricFamily("haproxy_backend_status", "Whether the backend is up.", labels=("proxy", "state"))
    active = GaugeMetricFamily("haproxy_backend_active_servers", "Servers that are up.", labels=("proxy",))
    for name in view.backends:
        count = sum(server.up for server in view.servers if server.backend == name)
        active.add_metric((name,), count)
        for state in ("UP", "DOWN"):
            up.add_metric((name, state), float((count > 0) == (state == "UP")))
    yield from (up, active)
    frontends = [((name,), board.totals(scoreboard.LISTENER, slot)) for name, slot in view.listeners.items()]
    yield from _cells("frontend", ("proxy",), FRONTEND, frontends)
    for kind, place in (("frontend", 0), ("backend", 1)):
        yield from _routes(kind, place, view, board)
    build = GaugeMetricFamily("haproxy_process_build_info", "What is scraped.", labels=("version",))
    build.add_metric((f"lbd {view.build.get('version', '')}",), 1.0)
    yield build


def _servers(view: View, board: Board) -> Iterator[Metric]:
    labels = ("proxy", "server")
    rows = [((server.backend, server.name), board.totals(scoreboard.SERVER, server.slot)) for server in view.servers]
    yield from _cells("server", labels, SERVER, rows)
    responses = CounterMetricFamily(
        "haproxy_server_http_responses", "Total number of responses.", labels=(*labels, "code"))
    sessions = CounterMetricFamily("haproxy_server_sessions", "Total number of sessions.", labels=labels)
    for names, totals in rows:
        counts = totals[fields.SERVER_REQUESTS:fields.SERVER_REQUESTS + len(CODES)]
        sessions.add_metric(names, sum(counts))
        for code, count in zip(CODES, counts, strict=True):
            responses.add_metric((*names, code), count)
    status = GaugeMetricFamily("haproxy_server_status", "State of the server.", labels=(*labels, "state"))
    for server in view.servers:
        now = STATE_OF.get(server.state, "DOWN")
        for state in STATES:
            status.add_metric((server.backend, server.name, state), float(state == now))
    yield from (responses, sessions, status)
    for name, gauge, text, figure in KNOWN:
        family = (GaugeMetricFamily if gauge else CounterMetricFamily)(f"haproxy_server_{name}", text, labels=labels)
        for server in view.servers:
            value = figure(server)
            if value is not None:
                family.add_metric((server.backend, server.name), value)
        yield family


def _cells(kind: str, labels: Sequence[str], cells: Cells,
           rows: Sequence[tuple[tuple[str, ...], list[float]]]) -> Iterator[Metric]:
    for name, gauge, text, index in cells:
        family = (GaugeMetricFamily if gauge else CounterMetricFamily)(f"haproxy_{kind}_{name}", text, labels=labels)
        for names, totals in rows:
            family.add_metric(names, totals[index])
        yield family


def _routes(kind: str, place: int, view: View, board: Board) -> Iterator[Metric]:
    """Requests and bytes by frontend (`place` 0) or by backend (1)."""
    sums: dict[str, list[float]] = {}
    for pair, slot in view.routes.items():
        if pair[place]:
            totals = board.totals(scoreboard.ROUTE, slot)
            sums[pair[place]] = [a + b for a, b in zip(sums.get(pair[place], [0.0] * len(totals)), totals, strict=True)]
    responses = CounterMetricFamily(
        f"haproxy_{kind}_http_responses", "Total number of responses.", labels=("proxy", "code"))
    requests = CounterMetricFamily(f"haproxy_{kind}_http_requests", "Total number of requests.", labels=("proxy",))
    for name, totals in sums.items():
        counts = totals[fields.ROUTE_REQUESTS:fields.ROUTE_REQUESTS + len(CODES)]
        requests.add_metric((name,), sum(counts))
        for code, count in zip(CODES, counts, strict=True):
            responses.add_metric((name, code), count)
    yield from (responses, requests)
    for name, index in (("bytes_in", fields.ROUTE_BYTES_IN), ("bytes_out", fields.ROUTE_BYTES_OUT)):
        family = CounterMetricFamily(f"haproxy_{kind}_{name}", "Total number of bytes.", labels=("proxy",))
        for proxy, totals in sums.items():
            family.add_metric((proxy,), totals[index])
        yield family

"""The exporter: the metrics for Prometheus, made from the scoreboard and a view of all that exists now."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from lbd.stats import formats, scoreboard
from lbd.stats.fields import KINDS, PROCESS_CONNECTIONS, PROCESS_LAG_MAX, Histogram
from lbd.stats.scoreboard import Board
from lbd.stats.view import View

Rows = list[tuple[tuple[str, ...], list[float]]]     # labels and totals of each row of a kind


class DaemonMetric(NamedTuple):
    """A metric of the daemon as a whole; without labels it always has one series, by default of the value `default`."""

    name: str
    text: str
    labels: tuple[str, ...] = ()
    counter: bool = False
    default: float = 0


DAEMON_METRICS = (
    DaemonMetric("lbd_worker_restarts", "Workers replaced after they died.", ("worker",), counter=True),
    DaemonMetric("lbd_config_generation", "Number of the configuration in force."),
    DaemonMetric("lbd_config_last_reload_success", "Whether the last reload was accepted.", default=1.0),
    DaemonMetric("lbd_config_last_reload_timestamp_seconds", "Unix time of the last reload tried."),
    DaemonMetric("lbd_workers", "Worker processes that serve."),
    DaemonMetric("lbd_draining_requests", "Requests in flight to what was removed."),
    DaemonMetric("lbd_supervisor_tasks", "Tasks that run in the supervisor."),
    DaemonMetric("lbd_names_unresolved", "Host names whose last look-up brought nothing."),
    DaemonMetric("lbd_metrics_left_out", "Whether series are left out because of max_series."),
    DaemonMetric("lbd_config_reloads", "Reloads tried, by what became of them.", ("result",), counter=True),
    DaemonMetric("lbd_name_lookups", "Look-ups of host names, by result.", ("result",), counter=True),
    DaemonMetric("lbd_certificate_expiry_timestamp_seconds", "Unix time at which a certificate ends.",
                 ("listener", "file")),
    DaemonMetric("lbd_config_file_refused", "Included files whose last good version is in force.", ("file",)),
    DaemonMetric("lbd_log_lines_lost", "Access log lines that could not be written where they belong.", counter=True),
    DaemonMetric("lbd_daemon_log_lines_dropped", "Lines of the daemon's own log that nobody took.", counter=True),
    DaemonMetric("lbd_spans_lost", "Spans that the collector did not take.", counter=True),
)


class Series(NamedTuple):
    """A metric and the fields that are its series: the value of its own label ("" if it has none), and the index."""

    metric: str
    gauge: bool
    text: str
    label: str
    fields: tuple[tuple[str, int], ...]


def grouped(kind: int) -> tuple[Series, ...]:
    """The exported fields of a kind, by metric."""
    found: dict[str, list[tuple[str, int]]] = {}
    for index, entry in enumerate(KINDS[kind].fields):
        if entry.metric:
            found.setdefault(entry.metric, []).append((entry.label[1] if entry.label else "", index))
    series = []
    for metric, fields in found.items():
        first = KINDS[kind].fields[fields[0][1]]
        series.append(Series(metric, first.gauge, first.text, first.label[0] if first.label else "", tuple(fields)))
    return tuple(series)


SERIES = tuple(grouped(kind) for kind in range(len(KINDS)))


class Exporter(Collector):
    """A collector over one board and one view of it. `rare`: rare fields have a series before they occur too."""

    def __init__(self, view: View, board: Board, rare: bool = False) -> None:
        self._view = view
        self._board = board
        self._rare = rare

    def collect(self) -> Iterator[Metric]:
        view = self._view
        owners: tuple[dict[tuple[str, ...], int], ...] = (
            {(server.backend, server.name): server.slot for server in view.servers},
            {(listener, backend): slot for (listener, backend), slot in view.routes.items()},
            {(name,): slot for name, slot in view.backends.items()},
            {(name,): slot for name, slot in view.listeners.items()},
            {(): 0},
        )
        for kind, slots in enumerate(owners):
            rows = [(labels, self._board.totals(kind, slot)) for labels, slot in slots.items()]
            yield from families(kind, rows, self._rare)
            if kind != scoreboard.SERVER or view.histograms:
                yield from distributions(kind, rows, self._board.bounds)
        yield from self._servers()
        yield from self._processes()
        yield from self._daemon()

    def _servers(self) -> Iterator[Metric]:
        names = KINDS[scoreboard.SERVER].labels
        latency = GaugeMetricFamily(
            "lbd_server_latency_seconds", "Decayed mean of the response time, as least-time sees it.", labels=names)
        score = GaugeMetricFamily(
            "lbd_server_score_seconds", "What least-time compares: latency * (in flight + 1) / weight.", labels=names)
        up = GaugeMetricFamily("lbd_server_up", "Whether the server takes new requests.", labels=names)
        state = GaugeMetricFamily("lbd_server_state", "The state that the server is in.", labels=(*names, "state"))
        weight = GaugeMetricFamily("lbd_server_weight", "Weight of the server.", labels=names)
        most = GaugeMetricFamily(
            "lbd_server_max_connections", "Bound on its connections, and so on requests in flight.", labels=names)
        seconds = GaugeMetricFamily("lbd_server_check_seconds", "Duration of the last health check.", labels=names)
        checks = CounterMetricFamily("lbd_server_checks", "Health checks, by result.", labels=(*names, "result"))
        ejections = CounterMetricFamily(
            "lbd_server_ejections", "Times that failing requests asked for an ejection, by what became of it.",
            labels=(*names, "result"))
        for server in self._view.servers:
            labels = (server.backend, server.name)
            mean = self._board.latency(server.slot)
            if mean >= 0 or self._rare:
                latency.add_metric(labels, mean)
            if server.score is not None:
                score.add_metric(labels, server.score)
            up.add_metric(labels, float(server.up))
            state.add_metric((*labels, server.state), 1.0)
            weight.add_metric(labels, server.weight)
            if server.max_connections:
                most.add_metric(labels, server.max_connections)
            if server.check_seconds is not None:
                seconds.add_metric(labels, server.check_seconds)
            for result, count in server.checks.items():
                checks.add_metric((*labels, result), count)
            for result, count in server.ejections.items():
                ejections.add_metric((*labels, result), count)
        yield from (latency, score, up, state, weight, most, seconds, checks, ejections)

    def _processes(self) -> Iterator[Metric]:
        files = GaugeMetricFamily("lbd_open_files", "Open descriptors.", labels=("process",))
        memory = GaugeMetricFamily("lbd_resident_memory_bytes", "Resident memory.", labels=("process",))
        cpu = CounterMetricFamily("lbd_cpu_seconds", "Processor time since the process began.", labels=("process",))
        connections = GaugeMetricFamily(
            "lbd_worker_connections", "Client connections of the worker.", labels=("worker",))
        lag = GaugeMetricFamily(
            "lbd_loop_lag_max_seconds", "Longest delay of the worker's event loop lately.", labels=("worker",))
        for process in self._view.processes:
            name = (process.name,)
            files.add_metric(name, process.files)
            memory.add_metric(name, process.memory)
            cpu.add_metric(name, process.cpu)
            if process.lane is not None:
                row = self._board.row(process.lane, scoreboard.PROCESS, 0)
                connections.add_metric(name, row.get(PROCESS_CONNECTIONS))
                lag.add_metric(name, row.get(PROCESS_LAG_MAX))
        yield from (files, memory, cpu, connections, lag)

    def _daemon(self) -> Iterator[Metric]:
        view = self._view
        values = {**view.daemon, "lbd_config_generation": view.generation, "lbd_metrics_left_out": view.left_out}
        for metric in DAEMON_METRICS:
            family = (CounterMetricFamily if metric.counter else GaugeMetricFamily)(
                metric.name, metric.text, labels=metric.labels)
            value = values.get(metric.name, {} if metric.labels else metric.default)
            for labels, number in (value if isinstance(value, Mapping) else {(): value}).items():
                family.add_metric(labels, number if metric.counter or metric.labels else float(number))
            yield family
        build = GaugeMetricFamily("lbd_build_info", "How lbd was built.", labels=tuple(view.build))
        build.add_metric(tuple(view.build.values()), 1.0)
        yield build


def families(kind: int, rows: Rows, rare: bool = False) -> Iterator[Metric]:
    """The metrics that are fields of the scoreboard, for all rows of a kind. Without `rare`, a field that rarely is
    above 0 has a series only where it is."""
    names = KINDS[kind].labels
    for series in SERIES[kind]:
        family = (GaugeMetricFamily if series.gauge else CounterMetricFamily)(
            series.metric, series.text, labels=(*names, series.label) if series.label else names)
        for labels, totals in rows:
            for value, index in series.fields:
                if rare or totals[index] or not KINDS[kind].fields[index].rare:
                    family.add_metric((*labels, value) if series.label else labels, totals[index])
        yield family


def distributions(kind: int, rows: Rows, bounds: Sequence[float]) -> Iterator[Metric]:
    """The histograms of a kind, whose upper bounds are these."""
    for histogram in KINDS[kind].histograms:
        distribution = HistogramMetricFamily(histogram.metric, histogram.text, labels=KINDS[kind].labels)
        for labels, totals in rows:
            distribution.add_metric(
                labels, buckets(histogram, bounds, totals), totals[histogram.first + len(bounds) + 1])
        yield distribution


def buckets(histogram: Histogram, bounds: Sequence[float], totals: Sequence[float]) -> list[tuple[str, float]]:
    """Cumulative counts by upper bound."""
    found = []
    count = 0.0
    for place, bound in enumerate((*map(str, bounds), "+Inf")):
        count += totals[histogram.first + place]
        found.append((bound, count))
    return found


def exposition(view: View, board: Board, accept: str) -> tuple[bytes, str]:
    """All metrics and their content type: OpenMetrics where `accept` names it, else the text format."""
    openmetrics = formats.openmetrics_wanted(accept)
    body = formats.render(Exporter(view, board).collect(), openmetrics)
    return body, formats.OPENMETRICS if openmetrics else formats.TEXT

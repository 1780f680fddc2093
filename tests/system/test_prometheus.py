"""A real Prometheus that scrapes a real lbd: alerts, latency as clients see it, and every query of the dashboard."""

import http.client
import json
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from lbd_process import Lbd, until
from prometheus import CONF, WINDOW, Prometheus

EXACT = 0.002     # seconds by which clocks of three processes may differ
# The head that comes before ends within [metrics].
CONFIG = """per_server_histograms = true
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[health.quick]
type = "tcp"
interval = "300ms"
timeout = "2s"
fall = 2
[backends.app]
algorithm = "round-robin"
health = "quick"
servers = {{ {servers} }}
"""


class Delayed:
    """A server that takes `seconds` for each answer and says its name; `took` is how long each really was."""

    def __init__(self, name: str, seconds: float) -> None:
        self.name = name
        self.seconds = seconds
        self.took: list[float] = []
        self.pause = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1       # head and body in one segment, lest the body waits for an acknowledgement

            def do_GET(self) -> None:
                begun = time.monotonic()
                owner.pause.wait(owner.seconds)
                owner.took.append(time.monotonic() - begun)
                self.send_response(200)
                self.send_header("Content-Length", str(len(owner.name)))
                self.end_headers()
                self.wfile.write(owner.name.encode())

            def log_message(self, format: str, *args: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        """Accept no more; twice is no fault."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()


class Clients:
    """Some clients that ask one request after the other; `seconds` are what each took, by the server that answered."""

    def __init__(self, port: int, number: int) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self._port = port
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(number)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=20)
        while not self._over.is_set():
            begun = time.monotonic()
            try:
                connection.request("GET", "/")
                response = connection.getresponse()
                name = response.read().decode() if response.status == 200 else "none"
            except OSError:
                connection.close()
                continue
            self.seconds[name].append(time.monotonic() - begun)
        connection.close()


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Delayed]]:
    made = {name: Delayed(name, 0.05) for name in "abc"}
    yield made
    for server in made.values():
        server.pause.set()
        server.stop()


@pytest.fixture(scope="module")
def lbd(servers: dict[str, Delayed]) -> Iterator[Lbd]:
    given = ", ".join(f'{name} = "127.0.0.1:{server.port}"' for name, server in servers.items())
    with Lbd(CONFIG.format(servers=given)) as running:
        yield running


@pytest.fixture(scope="module")
def prometheus(lbd: Lbd) -> Iterator[Prometheus]:
    with Prometheus(lbd.port("metrics")) as running:
        yield running


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def scraped(prometheus: Prometheus, count: int) -> None:
    """Until Prometheus has seen so many answered requests."""
    until(lambda: sum(value for _, value in prometheus.query("lbd_backend_response_seconds_count")) == count,
          f"{count} requests are scraped")


@pytest.mark.programs
@pytest.mark.timeout(240)
def test_latency_is_what_clients_measured(servers: dict[str, Delayed], lbd: Lbd, prometheus: Prometheus) -> None:
    servers["b"].seconds = 0.15
    with Clients(lbd.port("web"), 4) as clients:
        until(lambda: all(len(clients.seconds[name]) >= 40 for name in "abc"), "every server has answered")
    found = clients.seconds
    scraped(prometheus, sum(map(len, found.values())))
    took = {name: server.took for name, server in servers.items()}
    # lbd stands between both, so its figure does too, whatever else the machine is busy with.
    everything, really = ([one for name in "abc" for one in times[name]] for times in (found, took))
    exported = prometheus.value("lbd_backend_response_seconds_sum / lbd_backend_response_seconds_count")
    assert mean(really) - EXACT <= exported <= mean(everything) + EXACT
    latency = {labels["server"]: value for labels, value in prometheus.query("lbd_server_latency_seconds")}
    for name, times in found.items():
        assert min(took[name]) - EXACT <= latency[name] <= max(times) + EXACT
        said = prometheus.value(f'lbd_server_response_seconds_sum{{server="{name}"}} / '
                                f'lbd_server_response_seconds_count{{server="{name}"}}')
        assert mean(took[name]) - EXACT <= said <= mean(times) + EXACT


def queries(board: dict[str, Any]) -> list[str]:
    """Every expression of the dashboard, its variables filled in."""
    found = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    names = {entry["name"] for entry in board["templating"]["list"]} - {"datasource"}
    filled = []
    for text in found:
        for name in names:
            text = text.replace(f"${name}", ".*")
        filled.append(re.sub(r"\$__rate_interval|\b15m\b", WINDOW, text))
    return filled


@pytest.mark.programs
@pytest.mark.timeout(240)
def test_every_query_of_the_dashboard_returns_data(lbd: Lbd, prometheus: Prometheus) -> None:
    board = json.loads((CONF / "grafana-dashboard.json").read_text())
    asked = queries(board)
    assert len(asked) > 40
    assert not [text for text in asked if "$" in text]
    with Clients(lbd.port("web"), 2):
        until(lambda: not [text for text in asked if not prometheus.query(text)], "every query returns data")
    for entry in board["templating"]["list"]:
        if entry["type"] == "query":
            metric = re.fullmatch(r"label_values\((.*), (\w+)\)", entry["query"]["query"])
            assert metric is not None
            assert all(metric[2] in labels for labels, _ in prometheus.query(re.sub(r"\$\w+", ".*", metric[1])))


@pytest.mark.programs
@pytest.mark.timeout(240)
def test_alerts_fire_for_what_is_slow_dead_or_refused(
        servers: dict[str, Delayed], lbd: Lbd, prometheus: Prometheus) -> None:
    servers["b"].seconds = 0.05
    with Clients(lbd.port("web"), 4):
        until(lambda: not prometheus.firing(), "nothing is wrong", 60)
        servers["b"].seconds = 0.6
        servers["c"].stop()
        good = lbd.file.read_text()
        lbd.replace_file(good + "[nonsense]\n")
        expected = {("LbdServerSlow", "b"), ("LbdServerDown", "c"), ("LbdReloadRefused", "")}
        until(lambda: expected <= prometheus.firing(), f"{expected} fire", 60)
        assert {server for _, server in prometheus.firing()} <= {"b", "c", "", "app"}
        lbd.replace_file(good)
        servers["b"].seconds = 0.05
        until(lambda: prometheus.firing() == {("LbdServerDown", "c")}, "what is mended is silent again", 60)
    for server in servers.values():
        server.stop()
    until(lambda: ("LbdBackendDown", "app") in prometheus.firing(), "the backend is down", 60)
    lbd.stop()
    until(lambda: ("LbdGone", "") in prometheus.firing(), "lbd is gone", 60)


def test_the_dashboard_is_laid_out_without_overlaps() -> None:
    board = json.loads((CONF / "grafana-dashboard.json").read_text())
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["title"]
        assert panel["type"] == "row" or panel["description"]


# Of Grafana's own panels and units (its documentation of the dashboard's JSON model).
PANELS = {"row", "stat", "timeseries", "table", "state-timeline"}
UNITS = {"reqps", "percentunit", "s", "short", "Bps", "bytes"}
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def test_the_dashboard_says_what_grafana_reads() -> None:
    board = json.loads((CONF / "grafana-dashboard.json").read_text())
    variables = {entry["name"]: entry["type"] for entry in board["templating"]["list"]}
    assert variables["datasource"] == "datasource"
    assert (board["schemaVersion"], board["uid"], board.get("id")) == (39, "lbd", None)
    for panel in board["panels"]:
        assert panel["type"] in PANELS, panel["title"]
        assert set(panel["gridPos"]) == {"x", "y", "w", "h"}
        if panel["type"] == "row":
            continue
        assert panel["datasource"] == SOURCE, panel["title"]
        names = [target["refId"] for target in panel["targets"]]
        assert names, panel["title"]
        assert len(set(names)) == len(names), panel["title"]
        assert all(target.get("datasource", SOURCE) == SOURCE for target in panel["targets"])
        asked = {name for target in panel["targets"] for name in re.findall(r"\$(\w+)", target["expr"])}
        assert asked <= {*variables, "__rate_interval", "__interval", "__range"}, panel["title"]
        units = [panel["fieldConfig"]["defaults"].get("unit"), *(
            entry["value"] for override in panel["fieldConfig"].get("overrides", [])
            for entry in override["properties"] if entry["id"] == "unit")]
        assert {unit for unit in units if unit} <= UNITS, panel["title"]
        if panel["type"] in ("stat", "timeseries"):
            assert units[0], panel["title"]

"""A real Prometheus with the configuration and the alerts that lbd ships, in a hurry: seconds instead of minutes."""

import json
import re
import shutil
import subprocess
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from lbd_process import free_port, until

CONF = Path(__file__).parents[2] / "conf"
WINDOW = "10s"        # what [5m] and [15m] of the rules become

Sample = tuple[dict[str, str], float]


def hurried(text: str) -> str:
    """The rules of `conf/alerts.yml` with short windows, and almost no patience."""
    return re.sub(r"\bfor: \w+", "for: 1s", re.sub(r"\[\d+m\]", f"[{WINDOW}]", text))


class Prometheus:
    """Scrapes the metrics on a port every second, on loopback, with its data in a directory of its own."""

    def __init__(self, target: int) -> None:
        program = shutil.which("prometheus")
        if program is None:
            pytest.skip("prometheus is not installed")
        self._program = program
        self._directory = tempfile.TemporaryDirectory(prefix="lbd-test-prometheus-")
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        home = Path(self._directory.name)
        text = (CONF / "prometheus.yml").read_text()
        assert "127.0.0.1:9405" in text
        (home / "prometheus.yml").write_text(text.replace("127.0.0.1:9405", f"127.0.0.1:{target}").replace("15s", "1s"))
        (home / "alerts.yml").write_text(hurried((CONF / "alerts.yml").read_text()))

    def __enter__(self) -> "Prometheus":
        home = Path(self._directory.name)
        with open(home / "log", "wb") as log:
            self._process = subprocess.Popen(
                [self._program, f"--config.file={home}/prometheus.yml", f"--storage.tsdb.path={home}/data",
                 f"--web.listen-address=127.0.0.1:{self._port}"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        until(self._ready, "Prometheus is ready")
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._directory.cleanup()

    def query(self, expression: str) -> list[Sample]:
        """The value of the expression now: labels and value of each series."""
        found = self._get("query", query=expression)["result"]
        return [(entry["metric"], float(entry["value"][1])) for entry in found]

    def value(self, expression: str) -> float:
        """The one value of an expression; fails when there is none, or several."""
        [(_, value)] = self.query(expression)
        return value

    def firing(self) -> set[tuple[str, str]]:
        """Name and server (or backend, or nothing) of every alert that fires."""
        return {(alert["labels"]["alertname"], alert["labels"].get("server", alert["labels"].get("backend", "")))
                for alert in self._get("alerts")["alerts"] if alert["state"] == "firing"}

    def _get(self, what: str, **query: str) -> Any:
        url = f"http://127.0.0.1:{self._port}/api/v1/{what}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=20) as response:
            return json.load(response)["data"]

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (Path(self._directory.name) / "log").read_text()
        try:
            return bool(self.query("vector(1)"))
        except OSError:
            return False

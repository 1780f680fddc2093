"""Cost of a scrape with many servers: `python -m tests.bench.scrape`, on an lbd with two workers under load."""

import argparse
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.clients import answers
from tests.bench.load import TWELVE, Load, run
from tests.bench.machine import Processors, free_port
from tests.bench.process import Process, poll
from tests.bench.servers import serving
from tests.bench.targets import ROOT

GOAL = 0.3       # seconds
SCRAPES = 10
EVERY = 0.5      # seconds from one scrape to the next: thirty times as often as Prometheus asks

CONFIG = """
[global]
workers = 2
drain_timeout = "1s"
state_dir = "{home}/state"
[log]
level = "warning"
[admin]
bind = "unix:{home}/admin.sock"
[metrics]
bind = "127.0.0.1:{metrics}"
per_server_histograms = {histograms}
[listeners.web]
bind = "127.0.0.1:{port}"
backend = "app"
[backends.app]
algorithm = "least-connections"
[backends.app.servers]
{servers}
"""

SCRAPER = """
import sys, time, urllib.request
url, seconds, every = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
end = time.monotonic() + seconds
while time.monotonic() < end:
    begun = time.monotonic()
    size = len(urllib.request.urlopen(url, timeout=10).read())
    print(time.monotonic() - begun, size, flush=True)
    time.sleep(max(0.0, every - time.monotonic() + begun))
"""


def spent(exposition: str) -> float:
    """Seconds of processor time that the supervisor says it has used."""
    return float(exposition.partition('lbd_cpu_seconds_total{process="supervisor"} ')[2].partition("\n")[0])


def measured(number: int, histograms: bool, seconds: int) -> list[str]:
    """A row: scrapes alone, then requests without and with scrapes beside them."""
    every = Processors.of_this_machine().every
    with tempfile.TemporaryDirectory(prefix="lbd-bench-") as name, \
            serving(Path(name), Processors(every, every, every)) as servers:
        home, port, metrics = Path(name), free_port(), free_port()
        rows = [f's{place} = "127.0.0.1:{(servers.a, servers.b)[place % 2]}"' for place in range(number)]
        config = home / "lbd.toml"
        config.write_text(CONFIG.format(home=home, metrics=metrics, port=port, servers="\n".join(rows),
                                        histograms=str(histograms).lower()))
        command = [sys.executable, "-m", "lbd", "-c", str(config)]
        url = f"http://127.0.0.1:{metrics}/metrics"
        with Process(command, every, home, {"PYTHONPATH": str(ROOT), "HOME": str(home)}) as process:
            if not poll(lambda: answers(port, "/2"), 20):
                raise SystemExit(process.output())
            run(Load("/12", TWELVE), port, 1, every)
            alone, texts = [], []
            for _ in range(SCRAPES + 1):
                begun = time.monotonic()
                with urllib.request.urlopen(url, timeout=10) as answer:
                    texts.append(answer.read().decode())
                alone.append(time.monotonic() - begun)
            cpu = (spent(texts[-1]) - spent(texts[0])) / SCRAPES
            quiet = run(Load("/12", TWELVE), port, seconds, every)
            scraper = [sys.executable, "-c", SCRAPER, url, str(seconds), str(EVERY)]
            beside = home / "scraper"
            beside.mkdir()
            with Process(scraper, every, beside) as scrapes:
                loaded = run(Load("/12", TWELVE), port, seconds, every)
                busy = [float(line.split()[0]) for line in scrapes.output(1000).splitlines()]
    rate = [found["requests"] / found["seconds"] for found in (quiet, loaded)]
    return [f"{number}{' with histograms' if histograms else ''}", f"{len(texts[0]) / 2**20:.1f} MiB",
            *(f"{1000 * seconds:.0f} ms" for seconds in (cpu, statistics.median(alone), statistics.median(busy))),
            f"{rate[0]:,.0f}", f"{rate[1] / rate[0]:.2f}", f"{quiet['p99'] / 1000:.1f} ms",
            f"{loaded['p99'] / 1000:.1f} ms", "yes" if statistics.median(alone) < GOAL else "no"]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("python -m tests.bench.scrape", description=__doc__)
    parser.add_argument("--servers", type=int, default=1000, help="number of servers (default 1000)")
    parser.add_argument("--seconds", type=int, default=5, help="whole seconds per load (default 5)")
    wanted = parser.parse_args(arguments)
    table = Table("servers", "exposition", "CPU of a scrape", "scrape alone", "under load",
                  "requests/s", "x with scrapes", "p99", "p99 with scrapes", f"below {GOAL * 1000:.0f} ms",
                  title=f"a scrape every {EVERY} s, two workers, nothing pinned", title_justify="left")
    for histograms in (False, True):
        table.add_row(*measured(wanted.servers, histograms, wanted.seconds))
    console = Console()
    console.width = max(console.width, 140)
    console.print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())

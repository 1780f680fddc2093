"""How long it takes from saving the file to the change in force, on all workers: `python -m tests.bench.saving`.

The file is written and closed; measured is the time until the daemon says in its log that the generation is in force,
which it does when every worker has acknowledged it. 100 ms of that are for the file to settle.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence

from tests.system.lbd_process import Lbd, until
from tests.system.origin import Origin

LIMIT = 30.0       # seconds that one change may take
TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[health.tcp]
type = "tcp"
interval = "10s"
[backends.app]
algorithm = "{algorithm}"
{health}
[backends.app.servers]
"""
ALGORITHMS = ("least-connections", "least-time")


def text(number: int, servers: int, port: int, checked: bool) -> str:
    """A configuration whose algorithm, and the weight of whose first server, differ from that of the number before."""
    listed = "".join(f's{place} = {{ address = "127.{place // 250}.{place % 250}.1:{port}", '
                     f"weight = {2 + number % 2 if place == 0 else 1} }}\n" for place in range(servers))
    return TEXT.format(algorithm=ALGORITHMS[number % 2], health='health = "tcp"' if checked else "") + listed


def measure(servers: int, changes: int, checked: bool, port: int) -> list[float]:
    """Seconds from each saving to its being in force."""
    found = []
    with Lbd(text(0, servers, port, checked), executed=True) as lbd:
        for number in range(1, changes + 1):
            begin = time.monotonic()
            lbd.write(text(number, servers, port, checked))
            until(lambda wanted=number: len(lbd.logged("reloaded")) == wanted, f"change {number}", LIMIT)
            found.append(time.monotonic() - begin)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser("python -m tests.bench.saving", description=__doc__)
    parser.add_argument("--changes", type=int, default=20, help="for each number of servers (default 20)")
    wanted = parser.parse_args(arguments)
    with Origin("all", "0.0.0.0") as origin:
        for servers in (5, 1000):
            for checked in (False, True):
                times = sorted(measure(servers, wanted.changes, checked, origin.port))
                print(f"{servers:5} servers{', checked' if checked else ''}: median "
                      f"{statistics.median(times) * 1000:.0f} ms, longest {times[-1] * 1000:.0f} ms", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

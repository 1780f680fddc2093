"""How long it takes from the start of a command to its effect, and what the processes of an idle daemon hold:
`python -m tests.bench.starting`.

Seconds until the first answer of a started daemon and of commands, and the proportional share of memory (PSS) of each
process, with two workers, a simple configuration and the admin interface on its socket. Byte code is compiled before,
as an installation does it.
"""

import argparse
import compileall
import http.client
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import lbd
from tests.children import below, status
from tests.system.lbd_process import free_port, until
from tests.system.origin import Origin

PAUSE = 3.0        # seconds until an idle daemon has settled
TEXT = """
[global]
workers = 2
[admin]
bind = "unix:{home}/admin.sock"
[listeners.web]
bind = "127.0.0.1:{port}"
backend = "app"
[backends.app.servers]
a = "127.0.0.1:{origin}"
"""


def pss(pid: int) -> float:
    """The proportional share of memory of a process, in MiB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def answers(port: int) -> bool:
    """Whether a request is answered by the server behind the daemon."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def start(file: Path, port: int) -> tuple["subprocess.Popen[bytes]", float]:
    """A started daemon, and the seconds until its first answer."""
    begin = time.monotonic()
    daemon = subprocess.Popen([sys.executable, "-m", "lbd", "-c", file], stderr=subprocess.DEVNULL)
    until(lambda: answers(port), "an answer")
    return daemon, time.monotonic() - begin


def command(*words: str) -> float:
    """Seconds that a command takes."""
    begin = time.monotonic()
    subprocess.run([sys.executable, "-m", "lbd", *words], stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - begin


def shown(name: str, times: Sequence[float]) -> str:
    """A line about the times of one kind."""
    return f"{name:14} median {statistics.median(times):.2f} s, {min(times):.2f} to {max(times):.2f} s"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    parser = argparse.ArgumentParser("python -m tests.bench.starting", description=__doc__)
    parser.add_argument("--starts", type=int, default=10, help="of each kind (default 10)")
    wanted = parser.parse_args(arguments)
    compileall.compile_dir(str(Path(lbd.__file__).parent), quiet=2)
    with Origin("all") as origin, tempfile.TemporaryDirectory() as home:
        port, file, times = free_port(), Path(home) / "lbd.toml", []
        file.write_text(TEXT.format(home=home, port=port, origin=origin.port))
        for number in range(wanted.starts):
            daemon, seconds = start(file, port)
            times.append(seconds)
            try:
                if number == wanted.starts - 1:
                    time.sleep(PAUSE)
                    for pid in (daemon.pid, *below(daemon.pid)):
                        named = next(line for line in status(pid).splitlines() if line.startswith("Name:"))
                        print(f"{named.split()[1]:14} {pss(pid):5.1f} MiB")
            finally:
                daemon.terminate()
                daemon.wait()
        print(shown("first answer", times))
        for words in (("check", "-c", str(file)), ("--help",), ("--version",)):
            print(shown(words[0], [command(*words) for _ in range(wanted.starts)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""lbd beside HAProxy, nginx and Caddy: `python -m tests.bench`, all in one run, one after another, on loopback."""

import argparse
import contextlib
import os
import resource
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from rich.console import Console

from lbd.cli import kernels
from tests.bench import cases, report
from tests.bench.cases import CASES, Case, Effort
from tests.bench.machine import Processors, facts
from tests.bench.result import Result, failed
from tests.bench.rounds import Rounds
from tests.bench.servers import Servers, serving
from tests.bench.targets import TARGETS, Running, StartError, Target, running, usable


def names(known: Iterable[str]) -> Callable[[str], list[str]]:
    """Reads comma-separated names out of those known."""
    def read(text: str) -> list[str]:
        for name in text.split(","):
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(known)}")
        return text.split(",")
    return read


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.bench", description=__doc__)
    parser.add_argument("--cases", type=names(CASES), default=list(CASES), metavar="NAME,…", help=", ".join(CASES))
    parser.add_argument("--targets", type=names(TARGETS), default=list(TARGETS), metavar="NAME,…",
                        help=f"{', '.join(TARGETS)}; those that are not installed are left out")
    parser.add_argument("--rounds", type=int, default=3, help="medians are taken over so many (default 3)")
    parser.add_argument("--seconds", type=int, default=3, help="whole seconds per measurement (default 3)")
    parser.add_argument("--together", action="store_true",
                        help="start all targets of a case once and let them take turns, instead of one after another: "
                             "with many short rounds, a machine whose speed changes hurts all of them alike")
    parser.add_argument("--quick", action="store_true", help="one round of one second, not warmed up")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that runs lbd (default: this one)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every result there too")
    found = parser.parse_args(arguments)
    if found.rounds < 1 or found.seconds < 1:
        parser.error("--rounds and --seconds are at least 1")
    if found.quick:
        found.rounds = found.seconds = 1
    return found


def order(targets: list[Target], number: int) -> list[Target]:
    """Another one is first in each round, and every second round goes backwards."""
    row = targets[::-1] if number % 2 else targets
    first = (number - number % 2) % len(row)
    return row[first:] + row[:first]


class Run:
    """Run every case, round and target in turn."""

    def __init__(self, console: Console, wanted: argparse.Namespace, home: Path) -> None:
        self.console = console
        self.wanted = wanted
        self.home = home
        self.processors = Processors.of_this_machine()
        self.rounds = Rounds()

    def started(self, case: Case, target: Target, servers: Servers) -> contextlib.AbstractContextManager[Running]:
        return running(target, servers, case.workers, self.processors.proxy if case.pinned else self.processors.every,
                       self.wanted.python, self.home, case.options)

    def measured(self, case: Case, target: Running, warm: bool) -> Result:
        return cases.run(case, target, Effort(self.wanted.seconds, int(warm and not self.wanted.quick),
                                              self.processors.load if case.pinned else self.processors.every))

    def apart(self, case: Case, targets: list[Target], servers: Servers) -> None:
        """Each target is started anew for each round, alone."""
        for number in range(self.wanted.rounds):
            for target in order(targets, number):
                self.tell(case, number, target)
                try:
                    with self.started(case, target, servers) as ready:
                        result = self.measured(case, ready, True)
                except StartError as exc:
                    result = failed(f"did not start: {exc}")
                self.rounds.add(case.name, target.name, result)

    def together(self, case: Case, targets: list[Target], servers: Servers) -> None:
        """All targets are started once; they take turns, so that one works at a time."""
        with contextlib.ExitStack() as stack:
            ready = {}
            for target in targets:
                try:
                    ready[target] = stack.enter_context(self.started(case, target, servers))
                except StartError as exc:
                    self.rounds.add(case.name, target.name, failed(f"did not start: {exc}"))
            for number in range(self.wanted.rounds if ready else 0):
                for target in order(list(ready), number):
                    self.tell(case, number, target)
                    self.rounds.add(case.name, target.name, self.measured(case, ready[target], not number))

    def tell(self, case: Case, number: int, target: Target) -> None:
        self.console.print(f"{case.name}, round {number + 1}: {target.name}", style="dim", highlight=False)

    @staticmethod
    def able(name: str, targets: list[Target]) -> list[Target]:
        """Targets that can do the case."""
        return [target for target in targets if not CASES[name].targets or target.name in CASES[name].targets]

    def all(self) -> Rounds:
        targets = usable(self.wanted.targets, self.wanted.python)
        if not targets:
            raise SystemExit("none of the targets is installed")
        for name in self.wanted.cases:
            for target in self.able(name, targets):
                self.rounds.results[name][target.name] = []     # the order of the rows
        os.sched_setaffinity(0, self.processors.load)
        for name in self.wanted.cases:
            case = CASES[name]
            pinned = self.processors if case.pinned else Processors(*[self.processors.every] * 3)
            with tempfile.TemporaryDirectory(dir=self.home) as place, serving(Path(place), pinned) as servers:
                (self.together if self.wanted.together else self.apart)(case, self.able(name, targets), servers)
        return self.rounds


def stop(signum: int, frame: object) -> None:
    raise SystemExit(128 + signum)


def main(arguments: Sequence[str] | None = None) -> int:
    """1 when anything was answered wrongly or not at all; a goal that is missed is shown but is no error."""
    wanted = options(arguments)
    if wanted.python == sys.executable and (modules := kernels.missing()):
        print(f"lbd: {kernels.advice(modules)}", file=sys.stderr)
        return 1
    # A shell's background job ignores SIGINT, unless told.
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))        # for thousands of connections, here and there
    memory = Path("/dev/shm")       # files of the servers stay off the disk
    home = Path(tempfile.mkdtemp(prefix="lbd-bench-", dir=memory if os.access(memory, os.W_OK) else None))
    found = facts(wanted.python)
    try:
        rounds = Run(Console(stderr=True), wanted, home).all()
    finally:
        shutil.rmtree(home, ignore_errors=True)
        for number, handler in before.items():
            signal.signal(number, handler)
    found["method"] = (f"{wanted.rounds} rounds of {wanted.seconds} s{' in turns' if wanted.together else ''}, "
                       "median (low-high); ratios round by round; "
                       "distrust what was measured while others had more than 5 %")
    console = Console()
    console.width = max(console.width, 180)     # the tables are of no use when they are squeezed
    report.show(console, found, rounds)
    if wanted.json:
        report.save(wanted.json, found, rounds)
    return 1 if rounds.errors() else 0


if __name__ == "__main__":
    sys.exit(main())

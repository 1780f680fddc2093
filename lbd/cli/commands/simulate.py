"""`lbd simulate`: the algorithm that suits a fleet and its load best, found in simulated time."""

import argparse
import dataclasses
import gc
import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from lbd import schema
from lbd.balance import ALGORITHMS
from lbd.cli import terminal
from lbd.cli.argument_types import kind, number
from lbd.cli.simulation import picture
from lbd.cli.simulation.page import as_data, lines, page
from lbd.config.reader import read_file
from lbd.errors import UsageError
from lbd.health import CHECKS
from lbd.schema import units as u
from lbd.schema.kinds import ValueKind
from lbd.simulation import fault, fleet
from lbd.simulation.advice import advise
from lbd.simulation.engine import Engine
from lbd.simulation.figures import AlgorithmFigures, measure
from lbd.simulation.fleet import SimulatedFleet
from lbd.simulation.recording import paced, read_recording
from lbd.simulation.scenario import Scenario
from lbd.simulation.workload import SimulatedRequest, WorkloadShape, synthetic
from lbd.wording import listed, nearest, shown

REQUESTS = 100_000
MOST_REQUESTS = 1_000_000
RATE = dataclasses.replace(u.number(0.001, 1e6), allowed="a number from 0.001 to 1000000")      # requests per second
LOAD = 0.7              # of the fleet's capacity, where neither --rate nor --concurrency is given
UNLIMITED_RATE = 1000.0 # requests per second likewise, where the capacity is without limit
PIPE_WIDTH = 200        # columns where the output is no terminal: nothing is cut

def decimal(of: ValueKind) -> Callable[[str], Any]:
    """A `type=` for argparse that reads a number just as the configuration file does."""
    def convert(text: str) -> Any:
        try:
            value = float(text)
        except ValueError:
            return of.parse(text)
        return of.parse(value)

    return kind(dataclasses.replace(of, parse=convert))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the fleet, the load, the faults and the output."""
    servers = parser.add_argument_group("servers")
    servers.add_argument("-c", "--config", metavar="FILE", help="simulate a backend of this configuration")
    servers.add_argument("--backend", metavar="NAME", help="which of its backends, if it has several")
    servers.add_argument("--servers", metavar="LIST", type=fleet.parse, default=[],
                         help="mean times to answer: 5ms,5ms,40msx2 (x2: weight) or by name: a=5ms,b=40ms")
    servers.add_argument("--slots", type=number(u.integer(0, 1_000_000)), default=8, metavar="N",
                         help="requests that a server answers at a time, others wait; 0: any number (8)")
    servers.add_argument("--max-conns", type=number(u.integer(1, 1_000_000)), metavar="N",
                         help="requests that lbd sends to a server at a time, others wait in lbd (those of the file)")
    servers.add_argument("--tail", type=decimal(u.number(0, 3)), default=1.0, metavar="SIGMA",
                         help="how much times scatter: sigma of a lognormal; 0: all are equal, 2: heavy tail (1)")
    load = parser.add_argument_group("load")
    load.add_argument("--rate", type=decimal(RATE), metavar="N",
                      help="requests per second, by chance (Poisson); default: 70%% of what the servers can answer")
    load.add_argument("--concurrency", type=number(u.integer(1, 100_000)), metavar="N",
                      help="instead: so many clients, each sends its next request when the last is answered")
    load.add_argument("--log", metavar="FILE", help="instead: the requests of an access log in JSON lines")
    load.add_argument("--requests", type=number(u.integer(1, MOST_REQUESTS)), metavar="N",
                      help=f"how many requests ({REQUESTS:_}; of a log, all)")
    load.add_argument("--clients", type=number(u.integer(1, 1_000_000)), default=10_000, metavar="N",
                      help="clients, and URLs, that the requests are of; some are more frequent (10_000)")
    load.add_argument("--writes", type=kind(u.PERCENT), default=0.1, metavar="SHARE",
                      help='share of requests that may not be repeated when a server dies ("10%%")')
    load.add_argument("--workers", type=number(u.integer(1, 64)), metavar="N",
                      help="worker processes of lbd (those of the file, else 2)")
    load.add_argument("--seed", type=number(u.integer(0, 2**31)), default=1, metavar="N", help="of all chance (1)")
    wrong = parser.add_argument_group("what goes wrong, from 50% of the requests on, or from 20%-60%; may be repeated")
    wrong.add_argument("--slow", action="append", default=[], metavar="SERVER@50%:x10",
                       help="a server takes 10 times as long")
    wrong.add_argument("--dies", action="append", default=[], metavar="SERVER@50%",
                       help="a server dies: connects are refused, what it had in hand is lost")
    wrong.add_argument("--hangs", action="append", default=[], metavar="SERVER@50%",
                       help="a server takes requests and does not answer them")
    wrong.add_argument("--retries", type=number(u.integer(0, 10)), metavar="N",
                       help="other servers that are tried (those of the file, else 2)")
    wrong.add_argument("--timeout", type=kind(u.duration(0.001)), metavar="TIME",
                       help="until a request without an answer has failed (that of the file, else 60s)")
    what = parser.add_argument_group("what is compared, and how it is shown")
    what.add_argument("--algorithm", action="append", default=[], metavar="NAME",
                      help="only this one; may be repeated (all)")
    what.add_argument("--plot", action="store_true", help="draw p99 over time in the terminal")
    what.add_argument("--png", metavar="FILE", help="draw it into a PNG file (needs matplotlib: lbd[plot])")
    what.add_argument("--json", action="store_true", help="print all figures as JSON")


def run(args: argparse.Namespace) -> int:
    """Simulate every algorithm and print the comparison; 0. Raises `UsageError`, `ConfigError` and `LbdError`."""
    if args.rate and args.concurrency:
        raise UsageError("--rate and --concurrency exclude each other")
    if args.png:
        picture.pen()       # before the work, not behind it
    scenario, rate, algorithms = stage(args)
    usual = scenario.fleet.settings.algorithm.name
    found = simulate(scenario, algorithms)
    advice = advise(found, usual, not scenario.concurrency, scenario.fleet.fair)
    if args.json:
        print(json.dumps(as_data(scenario, rate, found, advice), indent=2))
    else:
        console = terminal.console(PIPE_WIDTH)
        console.print(page(scenario, rate, found, advice))
        if args.plot:
            console.print()
            console.print(lines(found, advice.algorithm, usual, min(console.width, 110)), soft_wrap=True)
    if args.png:
        order = sorted(found, key=lambda figures: figures.algorithm != advice.algorithm)
        picture.draw(order, "lbd simulate: p99 over time", args.png)
    return 0


def stage(args: argparse.Namespace) -> tuple[Scenario, float, list[schema.AlgorithmConfig]]:
    """The fleet and the workload that the options describe, requests per second (0.0: a closed loop), and the
    algorithms to compare. All words are checked before the workload is made, which may take long."""
    recording = read_recording(args.log, args.backend, args.requests or MOST_REQUESTS) if args.log else None
    workers = args.workers
    if args.config:
        config = read_file(args.config, ALGORITHMS, CHECKS).config
        means = recording.means if recording else {}
        servers = fleet.from_config(config, args.backend, args.servers, means, args.slots)
        workers = workers or config.global_.workers
    elif args.servers:
        servers = fleet.from_words(args.servers, args.slots)
    elif recording is not None and recording.means:
        servers = fleet.from_log(recording.means, args.slots)
    else:
        raise UsageError("nothing to simulate: give --servers 5ms,5ms,40ms, or -c FILE (see lbd simulate --help)")
    if not servers.capacity:
        raise UsageError("no server takes requests: all have the weight 0, or another mode than ready")
    servers = dataclasses.replace(servers, settings=settled(servers.settings, args))
    algorithms = compared(args.algorithm, servers)
    faults = [fault.parse(kind, text, servers.seconds) for kind in fault.KINDS for text in getattr(args, kind)]
    rate = 0.0 if args.concurrency else args.rate or (0.0 if recording else usual_rate(servers))
    shape = WorkloadShape(args.requests or REQUESTS, rate, args.concurrency or 0, args.tail, args.clients, args.writes,
                          workers or 2, args.seed, keys(servers.settings.algorithm))
    workload: Sequence[SimulatedRequest] = paced(recording, shape) if recording else synthetic(shape)
    if not args.concurrency and not rate:
        rate = len(workload) / workload[-1].at
    return Scenario(servers, workload, shape.workers, shape.concurrency, faults, args.seed), rate, algorithms


def settled(settings: schema.BackendConfig, args: argparse.Namespace) -> schema.BackendConfig:
    """The settings of the backend, overridden by the options."""
    if args.retries is not None:
        settings = dataclasses.replace(settings, retries=args.retries)
    if args.timeout is not None:
        settings = dataclasses.replace(settings, timeouts=dataclasses.replace(settings.timeouts, server=args.timeout))
    if args.max_conns is not None:
        servers = {name: dataclasses.replace(server, max_conns=args.max_conns)
                   for name, server in settings.servers.items()}
        settings = dataclasses.replace(settings, servers=servers)
    return settings


def usual_rate(servers: SimulatedFleet) -> float:
    """Requests per second where none are given."""
    return servers.capacity * LOAD if servers.slots else UNLIMITED_RATE


def keys(algorithm: schema.AlgorithmConfig) -> tuple[str, ...]:
    """The cookie or query parameter that the algorithm looks at."""
    where, _, name = str(getattr(algorithm.options, "key", "")).partition(":")
    return (name,) if where in ("cookie", "query") and name else ()


def compared(names: Sequence[str], servers: SimulatedFleet) -> list[schema.AlgorithmConfig]:
    """The algorithms to compare: that of the backend with its own options, the others with their defaults."""
    own = servers.settings.algorithm
    known = list(dict.fromkeys((*ALGORITHMS, own.name)))
    chosen = list(dict.fromkeys(names)) or known
    for name in chosen:
        if name not in known and ":" not in name:
            raise UsageError(f"--algorithm: {shown(name)} is no algorithm; must be {listed(known)}"
                             f"{nearest(name, known)}")
    found = []
    for name in chosen:
        options = ALGORITHMS[name].Options if name in ALGORITHMS else None
        given = own.options if name == own.name else None
        found.append(schema.AlgorithmConfig(name, options() if given is None and options is not None else given))
    return found


def simulate(scenario: Scenario, algorithms: Sequence[schema.AlgorithmConfig]) -> list[AlgorithmFigures]:
    """Run the algorithms one after the other, with a progress bar on stderr if that is a terminal."""
    console = terminal.TerminalConsole(stderr=True)
    bar = Progress(TextColumn("{task.description:<22}"), BarColumn(None), TimeRemainingColumn(compact=True),
                   console=console, transient=True, disable=not console.is_terminal)
    found = []
    gc.collect()
    gc.freeze()     # the workload is there to stay: a collection need not look through it
    try:
        with bar:
            task = bar.add_task("", total=len(scenario.workload) * len(algorithms))
            for algorithm in algorithms:
                bar.update(task, description=algorithm.name)
                engine = Engine(scenario, algorithm)
                engine.run(partial(bar.advance, task))
                found.append(measure(algorithm.name, engine))
    finally:
        gc.unfreeze()
    return found

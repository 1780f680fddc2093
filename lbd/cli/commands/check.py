"""`lbd check`: all problems of a configuration, with their places."""

import argparse
import contextlib
import dataclasses
import grp
import json
import pwd
import time
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from lbd.admin.tls import AdminTlsContext
from lbd.cli import argument_types, options
from lbd.cli.config_loader import loader
from lbd.cli.streams import fixed_exit_code, print_error
from lbd.cli.terminal import TerminalConsole
from lbd.config.document import INPUT, INPUT_NAME, DocumentError, fetch
from lbd.config.findings import dotted
from lbd.config.places import Path
from lbd.config.reader import Loaded
from lbd.errors import ConfigError, LbdError, Problem
from lbd.generation.certificates import Certificates
from lbd.log.logger import printable
from lbd.report.forecast import forecast
from lbd.schema import Config
from lbd.tls.certificate import facts_of_all, load_pem
from lbd.tls.chain import expired, faults, unfinished
from lbd.tls.credentials import Credentials
from lbd.tls.pem import CertificateFacts
from lbd.wording import shown

HELP = "say everything that is wrong with a configuration; exit code 0 if it can be used"

SHOWN = 110  # characters of a source line that are shown
TOO_MANY = "{} series could be exported, and this is less: servers' histograms, then servers will be left out"
ALWAYS = ("{} series could be exported, and this is less; {} of them, of backends, listeners and lbd itself, are never "
          "left out: allow at least as many")
LEAD = 20    # characters shown before the place when a line is longer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the configuration and of the output."""
    argument_types.add_group(parser, options.CONFIGURATION, "configuration")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(args: argparse.Namespace) -> int:
    """Print all findings: 0 if the configuration can be used, warnings or not, else 1. Raises `UsageError`."""
    load = loader(args)
    config: Config | None = None
    try:
        loaded = load()
        config = loaded.config
        problems = [*loaded.warnings, *certificates(loaded), *admin_certificate(loaded), *accounts(loaded)]
    except ConfigError as error:
        problems = [*error.problems, *error.warnings]
    if any(not problem.warning for problem in problems):
        config = None
    series = forecast(config) if config is not None else 0
    name = INPUT_NAME if args.config == INPUT else args.config or "the options"
    if config is not None and series > config.metrics.max_series:
        bare = {name: dataclasses.replace(backend, servers={}) for name, backend in config.backends.items()}
        least = forecast(dataclasses.replace(config, backends=bare))
        text = (ALWAYS if least > config.metrics.max_series else TOO_MANY).format(series, least)
        problems = [*problems, Problem(name, 0, 0, "metrics.max_series", text, True)]
    with fixed_exit_code(0 if config else 1) as code:
        tell(args, config, problems, series)
    return code


def tell(args: argparse.Namespace, config: Config | None, problems: Sequence[Problem], series: int) -> None:
    """Print the findings, and the contents of a configuration that can be used."""
    if args.json:
        findings = [dataclasses.asdict(problem) for problem in problems]
        answer = {"ok": config is not None, "problems": findings, **({"series": series} if config else {})}
        print(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        show(problems, TerminalConsole(stderr=True, highlight=False, soft_wrap=True))
        if config:
            print(f"{summary(config)}; at most {series} series of metrics")
        else:
            print_error(counted(problems))


def certificates(loaded: Loaded) -> list[Problem]:
    """Problems of the TLS files. An unreadable one is a warning, since the daemon may run as another user."""
    config = loaded.config
    parts = [(("listeners", name, "tls"), dataclasses.replace(config, listeners={name: listener}, backends={}))
             for name, listener in config.listeners.items()]
    parts += [(("backends", name, "tls"), dataclasses.replace(config, listeners={}, backends={name: backend}))
              for name, backend in config.backends.items()]
    problems = []
    read: list[tuple[Path, Credentials]] = []
    for path, part in parts:
        try:
            read += ((path, given) for given in Certificates().read_all(part).values())
        except LbdError as error:
            key, _, message = str(error).partition(": ")
            problems.append(problem(loaded, (*path, key.rpartition(".")[2]), message, "Permission denied" in message))
    known: list[CertificateFacts] = []
    for _, given in read:
        with contextlib.suppress(ValueError):
            known += facts_of_all(given.authorities)
    for place, given in read:
        problems += [problem(loaded, (*place, key), text, True)
                     for key, text in chains(place, given, known, time.time())]
    return problems


def chains(path: Path, given: Credentials, known: Sequence[CertificateFacts], now: float) -> Iterator[tuple[str, str]]:
    """Problems of certificates that OpenSSL accepts and peers may reject, each with its key."""
    shown, believed = ("certificates", "client_ca") if path[0] == "listeners" else ("certificate", "ca")
    try:
        for pem in given.pems:
            key, file = shown, pem.path
            for text in faults(pem.chain, now):
                yield key, f"{file} {text}"
            # What servers know of their clients' authorities is their own matter.
            if path[0] == "listeners" and (text := unfinished(pem.chain, known)):
                yield key, f"{file} {text}"
        key, file = believed, "the file"
        for text in expired(given.authorities, now):
            yield key, f"{file} {text}"
    except ValueError as error:
        yield key, f"{file} {error}"


def admin_certificate(loaded: Loaded) -> list[Problem]:
    """Problems of the TLS files of the admin interface."""
    settings = loaded.config.admin.tls
    path: Path = ("admin", "tls")
    if settings is None:
        return []
    try:
        AdminTlsContext(settings)
        given = Credentials((load_pem(settings.cert, fetch(settings.cert), setting="admin.tls.cert"),),
                            fetch(settings.client_ca) if settings.client_ca is not None else b"")
    except LbdError as error:
        key, _, message = str(error).partition(": ")
        return [problem(loaded, (*path, key.rpartition(".")[2]), message, "Permission denied" in message)]
    except DocumentError:
        return []       # a rule has said so
    known: list[CertificateFacts] = []
    with contextlib.suppress(ValueError):
        known = facts_of_all(given.authorities)
    return [problem(loaded, (*path, "cert" if key == "certificates" else key), text, True)
            for key, text in chains(("listeners",), given, known, time.time())]


def accounts(loaded: Loaded) -> list[Problem]:
    """Unknown users and groups; warnings, since the configuration may be for another machine."""
    found = []
    settings = loaded.config.global_
    for key, name, ask in (("user", settings.user, pwd.getpwnam), ("group", settings.group, grp.getgrnam)):
        try:
            if name is not None:
                ask(name)
        except KeyError:
            text = f"this machine has no {key} {shown(name)}, and lbd would not start on it"
            found.append(problem(loaded, ("global", key), text, True))
    return found


def problem(loaded: Loaded, path: Path, message: str, warning: bool) -> Problem:
    """A finding at the place of the key, or of the nearest table around it."""
    places = (loaded.places.get(path[:end]) for end in range(len(path), 0, -1))
    return Problem(*next(filter(None, places), (loaded.files[0] if loaded.files else "the options", 0, 0)),
                   dotted(path), message, warning)


def summary(config: Config) -> str:
    """`OK: 2 listeners, 3 backends, 7 servers`."""
    servers = sum(len(backend.servers) for backend in config.backends.values())
    counts = ((len(config.listeners), "listener"), (len(config.backends), "backend"), (servers, "server"))
    return "OK: " + ", ".join(_plural(count, noun) for count, noun in counts)


def counted(problems: Sequence[Problem]) -> str:
    """`3 errors, 1 warning`."""
    warnings = sum(problem.warning for problem in problems)
    errors = _plural(len(problems) - warnings, "error")
    return f"{errors}, {_plural(warnings, 'warning')}" if warnings else errors


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def show(problems: Sequence[Problem], console: Console) -> None:
    """Print a line per problem; on a terminal in colour, with the source line and the place in it."""
    lines: dict[str, list[str]] = {}
    for problem in problems:
        console.print(headline(problem))
        if not console.is_terminal or not problem.line:
            continue
        if problem.file not in lines:
            lines[problem.file] = _lines(problem.file)
        if problem.line <= len(lines[problem.file]):
            console.print(excerpt(lines[problem.file][problem.line - 1], problem))


def headline(problem: Problem) -> Text:
    """`FILE:LINE:COLUMN: KEY: message`; warnings say that they are."""
    where = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
    text = Text.assemble((printable(where), "bold"), ": ")
    if problem.warning:
        text.append("warning: ", "yellow")
    if problem.key:
        text.append(problem.key, "yellow" if problem.warning else "red").append(": ")
    return text.append(printable(problem.message))


def excerpt(line: str, problem: Problem) -> Text:
    """The source line, cut around the place, and a caret under the place."""
    start = max(0, problem.column - 1 - LEAD) if len(line) > SHOWN else 0
    piece = "".join(letter if letter.isprintable() else " " for letter in line[start:start + SHOWN])
    number = str(problem.line)
    caret = " " * (problem.column - 1 - start) + "^"
    return Text.assemble((f"  {number} | ", "dim"), piece, "\n", (f"  {' ' * len(number)} | ", "dim"),
                         (caret, "bold yellow" if problem.warning else "bold red"))


def _lines(file: str) -> list[str]:
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            return opened.read().split("\n")
    except OSError:
        return []

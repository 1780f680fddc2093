"""`lbd check`: all problems of a configuration, with their places."""

import argparse
import dataclasses
import grp
import json
import pwd
from collections.abc import Sequence

from lbd.cli import argument_types, options
from lbd.cli.config_loader import loader
from lbd.cli.streams import fixed_exit_code, print_error
from lbd.config.document import INPUT, INPUT_NAME
from lbd.config.places import Path
from lbd.config.reader import Loaded
from lbd.errors import ConfigError, LbdError, Problem
from lbd.report.forecast import forecast
from lbd.schema import Config, FilterConfig
from lbd.wording import shown

TOO_MANY = "{} series could be exported, and this is less: servers' histograms, then servers will be left out"
ALWAYS = ("{} series could be exported, and this is less; {} of them, of backends, listeners and lbd itself, are never "
          "left out: allow at least as many")


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
        problems = [*loaded.warnings, *tls_files(loaded), *accounts(loaded), *filters(loaded)]
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
        if problems:
            from lbd.cli.findings import print_findings  # late: rich, as long to import as the rest of a check
            print_findings(problems)
        if config:
            print(f"{summary(config)}; at most {series} series of metrics")
        else:
            print_error(counted(problems))


def tls_files(loaded: Loaded) -> list[Problem]:
    """Problems of the TLS files, where there are any."""
    config = loaded.config
    if not (config.admin.tls or any(listener.tls for listener in config.listeners.values())
            or any(backend.tls or any(server.address.tls for server in backend.servers.values())
                   for backend in config.backends.values())):
        return []
    from lbd.cli.certificate_findings import admin_certificate, certificates  # late: cryptography
    return [*certificates(loaded), *admin_certificate(loaded)]


def filters(loaded: Loaded) -> list[Problem]:
    """Problems of the operator's own filters, which are loaded, and not made."""
    config = loaded.config
    places: list[tuple[Path, Sequence[FilterConfig]]] = []
    for name, listener in config.listeners.items():
        places += [(("listeners", name), listener.filters), *(
            (("listeners", name, "routes", index), route.filters) for index, route in enumerate(listener.routes))]
    places += [(("backends", name), backend.filters) for name, backend in config.backends.items()]
    problems: list[Problem] = []
    if not any(wanted for _, wanted in places):
        return problems
    from lbd.filters import plugin  # late: only where there are some

    for path, wanted in places:
        for number, one in enumerate(wanted):
            try:
                plugin.read_options(one, plugin.load(one.use))
            except LbdError as error:
                problems.append(loaded.problem((*path, "filters", number), str(error), False))
    return problems


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
            found.append(loaded.problem(("global", key), text, True))
    return found


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

"""The options that several commands share, one line each."""

import argparse
from typing import Any

from lbd.cli.parser import checked, kind, number
from lbd.schema import units as u

Table = tuple[tuple[tuple[str, ...], dict[str, Any]], ...]

FILE: Table = (
    (("-c", "--config"), {"metavar": "FILE", "help": "read the configuration from this TOML file (-: standard input)"}),
)

# `listen` and `server` are lists of texts, `workers` is a text too; `health_interval` is seconds.
CONFIGURATION: Table = (
    *FILE,
    (("--listen",), {"metavar": "ADDR", "action": "append", "default": [], "type": checked(kind(u.BIND)),
                     "help": "without a file: listen on IP:PORT or unix:PATH; may be repeated"}),
    (("--server",), {"metavar": "ADDR", "action": "append", "default": [], "type": checked(kind(u.ADDRESS)),
                     "help": "without a file: a server that gets the requests; may be repeated"}),
    (("--algorithm",), {"metavar": "NAME",
                        "help": "how servers are chosen; with a file, where its backends name nothing"}),
    (("--health-path",), {"metavar": "PATH", "type": kind(u.URL_PATH),
                          "help": "check servers by GET PATH; overrides every http policy of the file"}),
    (("--health-interval",), {"metavar": "TIME", "type": kind(u.DURATION),
                              "help": 'time between two checks ("500ms", "5s"); overrides every policy of the file'}),
    (("--workers",), {"metavar": "N", "type": checked(number(u.WORKERS)),
                      "help": 'worker processes, 1 to 64, or "auto": one per usable CPU'}),
)

ADMIN: Table = (
    (("--admin",), {"metavar": "ADDR", "help": "ask at unix:PATH, HOST:PORT or https://HOST:PORT (also: LBD_ADMIN)"}),
    (("-c", "--config"), {"metavar": "FILE", "help": "take that address from [admin] of this file"}),
    (("--admin-ca",), {"metavar": "FILE", "help": "authorities of its certificate; default: the system's "
                                                  "(also: LBD_ADMIN_CA)"}),
    (("--admin-cert",), {"metavar": "FILE", "help": "own certificate and key, where it wants one "
                                                    "(also: LBD_ADMIN_CERT)"}),
)

# Options that take the next word as their value, which therefore is not a command.
VALUED = frozenset(flag for flags, _ in CONFIGURATION + ADMIN for flag in flags)


def add(parser: argparse.ArgumentParser, table: Table, title: str) -> None:
    """Give the parser a titled group with every option of the table."""
    group = parser.add_argument_group(title)
    for flags, settings in table:
        group.add_argument(*flags, **settings)

"""The options that several commands share, one line each; the types of their values are in `argument_types`."""

from typing import Any

Table = tuple[tuple[tuple[str, ...], dict[str, Any]], ...]

FILE: Table = (
    (("-c", "--config"), {"metavar": "FILE", "help": "read the configuration from this TOML file (-: standard input)"}),
)

CONFIGURATION: Table = (
    *FILE,
    (("--listen",), {"metavar": "ADDR", "action": "append", "default": [],
                     "help": "without a file: listen on IP:PORT or unix:PATH; may be repeated"}),
    (("--server",), {"metavar": "ADDR", "action": "append", "default": [],
                     "help": "without a file: a server that gets the requests; may be repeated"}),
    (("--algorithm",), {"metavar": "NAME",
                        "help": "how servers are chosen; with a file, where its backends name nothing"}),
    (("--health-path",), {"metavar": "PATH",
                          "help": "check servers by GET PATH; overrides every http policy of the file"}),
    (("--health-interval",), {"metavar": "TIME",
                              "help": 'time between two checks ("500ms", "5s"); overrides every policy of the file'}),
    (("--workers",), {"metavar": "N", "help": 'worker processes, 1 to 64, or "auto": one per usable CPU'}),
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

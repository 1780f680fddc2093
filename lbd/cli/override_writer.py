"""Overrides written into a configuration file, whose comments and layout stay (tomlkit)."""

import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from lbd.errors import LbdError

KEYS = ("mode", "weight", "max_conns")   # a forced health is not a key of the configuration

Rows = Iterable[Mapping[str, Any]]


def write_overrides(file: Path, rows: Rows) -> tuple[list[str], list[str]]:
    """Write the overrides into the file; returns the written settings and those without a place. Raises `LbdError`."""
    try:
        document = tomlkit.parse(file.read_text("utf-8"))
    except OSError as error:
        raise LbdError(f"cannot read {file}: {error.strerror}") from None
    except (TOMLKitError, ValueError) as error:
        raise LbdError(f"{file}: {error}") from None
    done: list[str] = []
    left: list[str] = []
    for row in sorted(rows, key=lambda row: bool(row.get("server"))):   # a server's override wins over its backend's
        _put(document, row, done, left)
    if done:
        _replace(file, tomlkit.dumps(document))
    return done, left


def _put(document: Mapping[str, Any], row: Mapping[str, Any], done: list[str], left: list[str]) -> None:
    backend, wanted = str(row["backend"]), str(row.get("server") or "")
    place = f"backends.{backend}.servers.{wanted or '*'}"
    settings = {name: row[name] for name in KEYS if name in row}
    left += [f"{place}.health: no key of a file"] if "health" in row else []
    servers = _table(document, "backends", backend, "servers")
    names = [wanted] if wanted else list(servers)
    if not settings or not names or any(name not in servers for name in names):
        left += [f"{place}: not in this file"] if settings else []
        return
    for name in names:
        server = servers[name]
        if isinstance(server, str):   # the short form holds the address only
            table = tomlkit.inline_table()
            table["address"] = str(server)
            servers[name] = table
        for key, value in settings.items():
            servers[name][key] = value
            done.append(f"backends.{backend}.servers.{name}.{key} = {value}")


def _table(document: Mapping[str, Any], *path: str) -> Any:
    found: Any = document
    for name in path:
        found = found.get(name, {}) if isinstance(found, Mapping) else {}
    return found


def _replace(file: Path, text: str) -> None:
    """Replace the file atomically, with its mode; a symbolic link stays one."""
    real = file.resolve()
    try:
        handle, part = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
        try:
            with open(handle, "w", encoding="utf-8") as out:
                out.write(text)
                os.fchmod(out.fileno(), real.stat().st_mode & 0o7777)
                out.flush()
                os.fsync(out.fileno())
            os.replace(part, real)
        except BaseException:
            os.unlink(part)
            raise
    except OSError as error:
        raise LbdError(f"cannot write {real}: {error.strerror}") from None

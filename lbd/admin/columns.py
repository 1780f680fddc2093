"""The columns of the status for people: one table for the page, for `lbd status` and for `lbd top`."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

Row = Mapping[str, Any]

UNITS = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))

# Words of state, by how good the news is.
TONES: Mapping[str, str] = {
    "up": "good", "ready": "good", "serving": "good", "down": "bad", "ejected": "bad", "unknown": "odd",
    "drain": "odd", "maint": "odd", "draining": "odd", "starting": "odd", "stopping": "odd", "warning": "odd",
    "error": "bad"}
OVERRIDABLE = ("mode", "weight", "max_conns", "health")
OWN = ("number", "timestamp", "level", "event")


def milliseconds(seconds: float | None) -> str | None:
    """`12.3 ms`; None where nothing was measured."""
    return None if seconds is None else f"{seconds * 1000:.1f} ms"


def span(seconds: float | None) -> str | None:
    """A time in its two largest units: `2 h 5 min`."""
    if seconds is None:
        return None
    left = max(int(seconds), 0)
    parts: list[str] = []
    for length, unit in UNITS:
        count, left = divmod(left, length)
        if count or parts:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


def ago(seconds: float | None) -> str | None:
    """`3 s ago`."""
    return None if seconds is None else f"{span(seconds)} ago"


def rate(value: float | None) -> str | None:
    """`0.4`, `12`, `3400`: two digits below 10, else whole numbers."""
    return None if value is None else f"{value:.1f}" if 0 < value < 10 else f"{value:.0f}"


def written(value: object) -> str:
    """A field of an event without brackets and quotes: `web: 127.0.0.1:80 [::]:80`."""
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {written(part)}" for name, part in value.items()) or "none"
    if isinstance(value, list | tuple):
        return " ".join(map(written, value)) or "none"
    return str(value)


class TableColumn(NamedTuple):
    """A column: `get` returns the value to sort by, `form` turns it into the shown one (None: a dash). Where there is
    too little room, columns with the greatest `rank` are left out first."""

    title: str
    get: Callable[[Row], Any]
    number: bool = False
    form: Callable[[Any], Any] = lambda value: value
    rank: int = 0

    def show(self, row: Row) -> Any:
        """The content of the cell; None for a dash."""
        return self.form(self.get(row))


Columns = tuple[TableColumn, ...]

SERVERS: Columns = (
    TableColumn("backend", lambda row: row["backend"]),
    TableColumn("server", lambda row: row["name"] + (" (backup)" if row.get("backup") else "")),
    TableColumn("address", lambda row: row.get("address"), rank=3),
    TableColumn("health", lambda row: row.get("health")),
    TableColumn("for", lambda row: row.get("age"), True, span, 2),
    TableColumn("mode", lambda row: row.get("mode")),
    TableColumn("weight", lambda row: row.get("weight"), True, rank=4),
    TableColumn("in flight", lambda row: row.get("in_flight"), True),
    TableColumn("req/s", lambda row: row.get("requests_per_second"), True, rate),
    TableColumn("requests", lambda row: row.get("requests"), True, rank=5),
    TableColumn("5xx", lambda row: row.get("codes", {}).get("5xx", 0), True),
    TableColumn("no connect", lambda row: row.get("connection_errors"), True, rank=6),
    TableColumn("latency", lambda row: row.get("latency_seconds"), True, milliseconds),
    TableColumn("last check", lambda row: row.get("reason") or None, rank=1),
    TableColumn("checked", lambda row: row.get("check_age"), True, ago, 8),
    TableColumn("note", lambda row: note(row) or None, rank=7),
)
LISTENERS: Columns = (
    TableColumn("listener", lambda row: row["name"]),
    TableColumn("mode", lambda row: row.get("mode")),
    TableColumn("address", lambda row: ", ".join(row.get("bind", []))),
    TableColumn("connections", lambda row: row.get("connections"), True),
    TableColumn("accepted", lambda row: row.get("accepted"), True),
    TableColumn("req/s", lambda row: row.get("requests_per_second"), True, rate),
    TableColumn("5xx", lambda row: row.get("codes", {}).get("5xx", 0), True),
)
WORKERS: Columns = (
    TableColumn("worker", lambda row: row.get("slot")),
    TableColumn("pid", lambda row: row.get("pid"), True),
    TableColumn("state", lambda row: row.get("state")),
    TableColumn("generation", lambda row: row.get("generation"), True),
    TableColumn("connections", lambda row: row.get("connections"), True),
    TableColumn("requests", lambda row: row.get("requests"), True),
    TableColumn("up", lambda row: row.get("uptime_seconds"), True, span),
)
DRAINING: Columns = (
    TableColumn("removed server", lambda row: f"{row['backend']}/{row['name']}"),
    TableColumn("address", lambda row: row.get("address")),
    TableColumn("in flight", lambda row: row.get("in_flight"), True),
)
EVENTS: Columns = (
    TableColumn("time (UTC)", lambda row: str(row.get("timestamp", ""))[:19].replace("T", " ")),
    TableColumn("level", lambda row: row.get("level")),
    TableColumn("event", lambda row: row.get("event")),
    TableColumn("about", lambda row: ", ".join(f"{name} {written(value)}" for name, value in row.items()
                                          if value not in (None, "") and name not in OWN)),
)


def servers(status: Row) -> list[dict[str, Any]]:
    """A row for each server of each backend, with `backend`, `name` and `age`, the seconds in its present state."""
    now = status.get("time")
    return [{"backend": backend, "name": name, **server, "age": seconds(server.get("since"), now),
             "check_age": seconds(server.get("checked"), now)}
            for backend, facts in status.get("backends", {}).items() for name, server in facts["servers"].items()]


def matching(rows: Iterable[Row], words: str) -> list[Row]:
    """The rows that contain each of the words in backend, name, address, health or mode, in any case."""
    wanted = words.lower().split()
    return [row for row in rows if all(word in _searched(row) for word in wanted)]


def _searched(row: Row) -> str:
    return " ".join(str(row.get(name, "")) for name in ("backend", "name", "address", "health", "mode")).lower()


def note(row: Row) -> str:
    """The overrides of the server and their operators, its registration, and the addresses of its host name."""
    found = []
    if override := row.get("override"):
        wanted = [f"{name} {override[name]}" for name in OVERRIDABLE
                  if override.get(name) is not None and (name, override[name]) != ("mode", row.get("mode"))]
        until = f" until {override['until']}" if override.get("until") else ""
        why = f": {override['reason']}" if override.get("reason") else ""
        found.append(f"{', '.join(wanted)} by {override.get('who')}{until}{why}".lstrip())
    if row.get("cut_at"):
        found.append(f"cut at {row['cut_at']}")
    if registration := row.get("registration"):
        left = span(registration.get("expires_in_seconds"))
        found.append("registered, leaving" if registration.get("leaving") else f"registered, {left} left")
    if addresses := row.get("addresses"):
        if len(addresses) > 1:
            found.append(f"one of {len(addresses)} addresses of {row.get('host')}")
        if failure := row.get("lookup_failure"):
            found.append(f"{row.get('host')} keeps its last answer: {failure}")
    return "; ".join(found)


def ill(row: Row) -> bool:
    """Whether the server should serve and is not healthy."""
    return row.get("health") != "up" and row.get("mode") == "ready"


def ailing(status: Row) -> list[str]:
    """A sentence on each server that should serve and is not healthy: since when, and why."""
    return [f"{row['backend']}/{row['name']} {row.get('health')}"
            + (f" for {span(row['age'])}" if row["age"] is not None else "")
            + (f": {row['reason']}" if row.get("reason") else "")
            for row in servers(status) if ill(row)]


def listeners(status: Row) -> list[dict[str, Any]]:
    """A row for each listener."""
    return [{"name": name, **facts} for name, facts in status.get("listeners", {}).items()]


def headline(status: Row) -> list[str]:
    """The daemon in a few words: `lbd 0.2.0`, `pid 4711`, `ready`, `generation 3`, `up 2 h 5 min`."""
    restarts = status.get("worker_restarts", 0)
    return [f"lbd {status.get('version', '?')}", f"pid {status.get('pid', '?')}", str(status.get("state", "?")),
            f"generation {status['generation']}", f"up {span(status.get('uptime_seconds', 0))}",
            *([f"{restarts} worker restart{'s' * (restarts != 1)}"] if restarts else [])]


def troubles(status: Row) -> Iterable[tuple[str, list[str]]]:
    """The troubles of the daemon itself: a sentence each, and its details."""
    if unkept := status.get("unkept"):
        yield "what was changed while lbd runs is in force, but not on the disk", [str(unkept)]
    if degraded := status.get("degraded"):
        yield "degraded: the last good version of these files stays in force", list(degraded)
    last = status.get("last_reload", {})
    if not last.get("success", True):
        yield (f"the reload of {last.get('time', '?')} was refused; generation {status['generation']} serves on:",
               str(last.get("error", "")).splitlines())
    if (left := last.get("confirm_within_seconds")) is not None:
        yield (f"generation {status['generation']} waits to be confirmed: without `lbd confirm` lbd goes back in "
               f"{span(left)}"), []


def seconds(since: Any, now: Any) -> float | None:
    """Seconds between two times in ISO 8601; None where one is missing or invalid."""
    try:
        return (datetime.fromisoformat(now) - datetime.fromisoformat(since)).total_seconds()
    except (TypeError, ValueError):
        return None

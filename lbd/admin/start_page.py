"""`GET /`: the status as a page for people; whole without scripts, and refreshed by one where there are."""

from collections.abc import Callable, Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from aiohttp import web

from lbd.admin.asked import Daemon

FILES = Path(__file__).parent / "page"
KINDS = {"style.css": "text/css", "live.js": "text/javascript"}
EVENTS = 20      # of the last ones
OWN = ("number", "timestamp", "level", "event")
# Nothing from elsewhere is loaded, and no other site may frame the page.
POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'"

STYLES = {"up": "good", "ready": "good", "serving": "good", "down": "bad", "ejected": "bad", "unknown": "odd",
          "drain": "odd", "maint": "odd", "draining": "odd", "starting": "odd", "stopping": "odd",
          "warning": "odd", "error": "bad"}

Row = Mapping[str, Any]
# Title of a column, what stands in it, and whether it is a number.
Columns = tuple[tuple[str, Callable[[Row], object], bool], ...]

SERVERS: Columns = (
    ("Server", lambda row: row["name"] + (" (backup)" if row.get("backup") else ""), False),
    ("Address", lambda row: row.get("address"), False),
    ("Health", lambda row: row.get("health"), False),
    ("Mode", lambda row: row.get("mode"), False),
    ("Weight", lambda row: row.get("weight"), True),
    ("In flight", lambda row: row.get("in_flight"), True),
    ("Requests", lambda row: row.get("requests"), True),
    ("5xx", lambda row: row.get("codes", {}).get("5xx", 0), True),
    ("Connect errors", lambda row: row.get("connection_errors"), True),
    ("Latency", lambda row: None if row.get("latency_seconds") is None else f"{row['latency_seconds'] * 1000:.1f} ms",
     True),
    ("Last check", lambda row: row.get("reason"), False),
)
LISTENERS: Columns = (
    ("Listener", lambda row: row["name"], False),
    ("Mode", lambda row: row.get("mode"), False),
    ("Address", lambda row: ", ".join(row.get("bind", [])), False),
    ("Connections", lambda row: row.get("connections"), True),
    ("Accepted", lambda row: row.get("accepted"), True),
)
WORKERS: Columns = (
    ("Worker", lambda row: row.get("slot"), False),
    ("Process", lambda row: row.get("pid"), True),
    ("State", lambda row: row.get("state"), False),
    ("Generation", lambda row: row.get("generation"), True),
    ("Connections", lambda row: row.get("connections"), True),
    ("Requests", lambda row: row.get("requests"), True),
)
HAPPENED: Columns = (
    ("Time (UTC)", lambda row: str(row.get("timestamp", ""))[:19].replace("T", " "), False),
    ("Level", lambda row: row.get("level"), False),
    ("Event", lambda row: row.get("event"), False),
    ("About", lambda row: ", ".join(f"{name} {value}" for name, value in row.items()
                                    if value not in (None, "") and name not in OWN), False),
)


class StartPage:
    """The page, and the two files that it needs."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon

    async def get(self, _request: web.Request) -> web.Response:
        """200 with the page."""
        events = (await self._daemon.events(0, 0.0))["events"][-EVENTS:]
        return web.Response(text=page(self._daemon.status(), events[::-1]), content_type="text/html",
                            headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store"})

    async def file(self, request: web.Request) -> web.Response:
        """200 with a file of the page, 404 for any other name."""
        name = request.match_info["file"]
        if name not in KINDS:
            raise web.HTTPNotFound
        return web.Response(text=(FILES / name).read_text(), content_type=KINDS[name],
                            headers={"Cache-Control": "max-age=300"})


def page(status: Row, events: Iterable[Row]) -> str:
    """The whole document."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>lbd</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="stylesheet" href="page/style.css"><script src="page/live.js" defer></script></head><body>'
        f"<main>{''.join(parts(status, events))}</main>"
        '<p class="quiet" id="live" role="status"></p></body></html>\n')


def parts(status: Row, events: Iterable[Row]) -> Iterable[str]:
    """What is wrong first, servers before the rest."""
    yield f"<h1>lbd {text(status.get('version'))} <span>{cell(status.get('state'))}</span></h1>"
    restarts = status.get("worker_restarts", 0)
    yield (f'<p class="quiet">process {text(status.get("pid"))}, generation {text(status.get("generation"))}, since '
           f'{text(status.get("started"))}, {text(restarts)} worker restart{"s" * (restarts != 1)}</p>')
    for line in status.get("degraded") or ():
        yield f'<p class="bad">degraded: {text(line)}</p>'
    last = status.get("last_reload", {})
    if not last.get("success", True):
        yield f'<p class="bad">The reload of {text(last.get("time"))} was refused: {text(last.get("error"))}</p>'
    for name, backend in status.get("backends", {}).items():
        servers = [{"name": server, **facts} for server, facts in backend["servers"].items()]
        yield from table(f"Backend {name}, {backend.get('algorithm')}", SERVERS, servers)
    yield from table("Listeners", LISTENERS,
                     [{"name": name, **facts} for name, facts in status.get("listeners", {}).items()])
    yield from table("Workers", WORKERS, status.get("workers", []))
    yield from table("What happened", HAPPENED, events)


def table(title: str, columns: Columns, rows: Iterable[Row]) -> Iterable[str]:
    """A table with its heading; scrolls by itself where it is too wide."""
    yield f'<h2>{text(title)}</h2><div class="table" tabindex="0" role="region" aria-label="{text(title)}"><table><tr>'
    for name, _, number in columns:
        yield f'<th scope="col"{" class=number" if number else ""}>{text(name)}</th>'
    yield "</tr>"
    for row in rows:
        yield "<tr>"
        for _, show, number in columns:
            yield f"<td{' class=number' if number else ''}>{cell(show(row))}</td>"
        yield "</tr>"
    yield "</table></div>"


def cell(value: object) -> str:
    """The value, with words of state in colour."""
    style = STYLES.get(value) if isinstance(value, str) else None
    return f'<span class="{style}">{text(value)}</span>' if style else text(value)


def text(value: object) -> str:
    """Anything, so that nothing of it is markup: parts of it come from servers."""
    return "-" if value is None else escape(str(value))

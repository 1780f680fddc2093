"""The status as HTML: what is wrong first, servers before the rest, whole without scripts."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any
from urllib.parse import quote

from lbd.admin import columns, sparkline
from lbd.admin.columns import TONES, Columns, Row
from lbd.admin.selection import MOST, Selection

MOST_AILING = 12     # servers that are named at the top
SEARCHED = 8         # servers from which on there is a field to search them
ALL = Selection()

# Columns that stand below another one, in small.
BELOW: Mapping[str, str] = {"server": "address", "health": "for", "mode": "note", "req/s": "requests",
                            "last check": "checked"}
WORDS: Mapping[str, str] = {"health": "for {}", "req/s": "{} in all"}
LEFT_OUT = {"backend", *BELOW.values()}

# What may be done with a server: the mode that it has then, and the word on the button.
STEERING = (("ready", "Ready"), ("drain", "Drain"), ("maint", "Maint"))

HEAD = (
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta name="color-scheme" content="light dark"><link rel="icon" href="page/icon.svg">'
    '<link rel="stylesheet" href="page/style.css"><script src="page/live.js" defer></script>')

# The script fills it in; a form without names sends nothing by itself.
DIALOG = (
    '<dialog id="ask" aria-labelledby="ask-title"><form method="dialog"><h2 id="ask-title"></h2><p id="ask-text"></p>'
    '<p id="ask-weight"><label>Weight <input type="number" min="0" max="1000" step="1" inputmode="numeric"></label></p>'
    '<p id="ask-cut"><label><input type="checkbox"> Cut what it has in hand, now</label></p>'
    '<p><label>Reason <input id="ask-reason" maxlength="200" autocomplete="off"></label></p>'
    '<p class="buttons"><button type="button" id="ask-no">Cancel</button><button id="ask-yes"></button></p>'
    "</form></dialog>")

LOGIN = (
    '<main data-page="login"><h1>lbd</h1><form id="login" class="scripted"><p><label for="token">Token</label>'
    '<input id="token" type="password" autocomplete="off" spellcheck="false" required> '
    "<button>Log in</button></p>"
    '<p class="quiet">It stays in this tab until the tab is closed. A token of the role read shows the status, one of '
    "the role operate may change it too.</p></form>"
    '<noscript><p>This page needs a token, which a browser sends only by a script. Without scripts:</p>'
    "<pre>LBD_TOKEN_FILE=FILE lbd status --admin HOST:PORT\n"
    'curl -H "Authorization: Bearer $TOKEN" http://HOST:PORT/v1/status</pre></noscript></main>')


CHANGE = '<th scope="col" role="columnheader" class="scripted">change</th>'


def document(title: str, main: str) -> str:
    """The whole page around its main part."""
    return (f'<!doctype html>\n<html lang="en"><head>{HEAD}<title>{text(title)}</title></head><body>{main}'
            '<p class="quiet" id="live"></p><p id="said" role="status" aria-live="polite"></p>'
            f"{DIALOG}</body></html>\n")


def status_page(status: Row, events: Iterable[Row], operates: bool, selection: Selection = ALL) -> str:
    """The page; with the buttons that change servers for who `operates`."""
    ailing = columns.ailing(status)
    title = f"{len(ailing)} not up - lbd" if ailing else "lbd"
    return document(title, f'<main data-page="status">{"".join(parts(status, events, operates, ailing, selection))}'
                           "</main>")


def parts(status: Row, events: Iterable[Row], operates: bool, ailing: list[str], selection: Selection
          ) -> Iterable[str]:
    """One after the other."""
    rest = [part for part in columns.headline(status) if part != status.get("state")]
    yield f'<h1>lbd {cell(status.get("state"))}</h1><p class="quiet">{text(", ".join(rest))}</p>'
    yield from wrong(status, ailing)
    groups: dict[str, list[Row]] = {name: [] for name in status.get("backends", {})}
    for row in columns.servers(status):
        groups[row["backend"]].append(row)
    yield from search(groups, selection)
    for name, shown in selection.of(groups).items():
        yield from backend_part(name, status["backends"][name], groups[name], shown, operates)
    if status.get("draining"):
        yield from table("Removed, with work left", columns.DRAINING, status["draining"])
    yield from table("Listeners", columns.LISTENERS, columns.listeners(status))
    yield from table("Workers", columns.WORKERS, status.get("workers", []))
    yield from last_reload(status)
    yield from table("What happened", columns.EVENTS, events, "events")


def wrong(status: Row, ailing: list[str]) -> Iterable[str]:
    """What an operator has to see first; nothing when all is well."""
    lines = [f'<p class="bad">{text(trouble)}</p>' + "".join(f"<p>{text(line)}</p>" for line in details)
             for trouble, details in columns.troubles(status)]
    if ailing:
        named = "".join(f"<li>{text(line)}</li>" for line in ailing[:MOST_AILING])
        more = len(ailing) - MOST_AILING
        lines.append(f'<ul id="ailing">{named}{f"<li>and {more} more</li>" if more > 0 else ""}</ul>')
    if lines:
        yield f'<section class="wrong" aria-label="What is wrong">{"".join(lines)}</section>'


def search(groups: Mapping[str, list[Row]], selection: Selection) -> Iterable[str]:
    """A field that finds servers, where there are more than a glance takes in; a form, so that it needs no script."""
    if sum(map(len, groups.values())) <= SEARCHED:
        return
    yield (f'<form id="find" role="search"><label>Find servers <input type="search" name="find" maxlength="200" '
           f'autocomplete="off" spellcheck="false" value="{text(selection.find)}" '
           'placeholder="part of a backend, server, address, health or mode"></label></form>')
    if selection.find.strip():
        hits = sum(len(columns.matching(rows, selection.find)) for rows in groups.values())
        most = f", the first {MOST} are shown" if hits > MOST else ""
        yield f'<p class="quiet" role="status">{hits or "no"} server{"s" * (hits != 1)} found{most}</p>'


def last_reload(status: Row) -> Iterable[str]:
    """When the configuration was read, and what that changed."""
    last: Mapping[str, Any] = status.get("last_reload", {})
    if last:
        outcome = (last.get("plan") or "the configuration of the start") if last.get("success") else "refused"
        yield f'<h2>Last reload</h2><p>{text(last.get("time"))}: {text(outcome)}</p>'
    if change := status.get("last_change"):
        yield (f'<details id="change"><summary>Generation {change["generation"]}, since {text(change["time"])}: '
               f'{text(change["plan"])}</summary><ul>')
        yield from (f"<li>{text(line)}</li>" for line in change["changes"])
        yield (f'<li>and {change["more"]} more</li>' if change["more"] else "") + "</ul></details>"


def backend_part(name: str, backend: Row, rows: list[Row], opened: list[Row] | None, operates: bool) -> Iterable[str]:
    """A backend with those of its servers that are `opened`; their latencies share one scale."""
    usable = sum(row.get("health") == "up" and row.get("mode") == "ready" for row in rows)
    facts = [str(backend.get("algorithm")), f"{usable} of {len(rows)} usable",
             f"{columns.rate(backend.get('requests_per_second', 0.0))} req/s"]
    if errors := backend.get("errors_per_second"):
        facts.append(f"{columns.rate(errors)} errors/s")
    if waiting := backend.get("requests_waiting"):
        facts.append(f"{waiting} waiting")
    ill = sum(map(columns.ill, rows))
    label = f"Backend {name}"
    yield (f'<details class="backend" id="backend-{text(name)}" data-backend="{text(name)}"'
           f'{"" if opened is None else " open"}><summary><h2>{text(label)} <small>{text(", ".join(facts))}'
           f'{f", <b class=bad>{ill} not up</b>" if ill else ""}</small></h2></summary>')
    if opened is None:
        yield f'<p><a href="?show={quote(name)}">Show {len(rows)} server{"s" * (len(rows) != 1)}</a></p></details>'
    else:
        yield from server_table(label, name, opened, operates)
        yield "</details>"


def server_table(label: str, name: str, rows: list[Row], operates: bool) -> Iterable[str]:
    """A row for each of these servers of the backend."""
    top = sparkline.highest([row.get("history", {}).get("latency_seconds", []) for row in rows])
    shown = tuple(column for column in columns.SERVERS if column.title not in LEFT_OUT)
    below = {title: next(column for column in columns.SERVERS if column.title == other)
             for title, other in BELOW.items()}
    yield opening(label, shown, operates)
    for row in rows:
        yield f'<tr role="row" id="server-{text(name)}/{text(row["name"])}">'
        for column in shown:
            more = ""
            if column.title == "latency" and (history := row.get("history")):
                more = sparkline.draw(history["latency_seconds"], history["errors_per_second"], top)
            elif column.title in below and (value := below[column.title].show(row)) is not None:
                more = f"<small>{WORDS.get(column.title, '{}').format(text(value))}</small>"
            yield data(column.title, f"<div>{cell(column.show(row))}{more}</div>", column.number)
        yield (data("change", buttons(name, row), False) if operates else "") + "</tr>"
    yield "</tbody></table></div>"


def buttons(backend: str, row: Row) -> str:
    """Modes that it does not have, and its weight; they do nothing without the script, which shows them."""
    target = f"{backend}/{row['name']}"
    about = (f'data-target="{text(target)}" data-in-flight="{text(row.get("in_flight"))}" '
             f'data-weight="{text(row.get("weight"))}"')
    wanted = [(mode, word) for mode, word in STEERING if mode != row.get("mode")]
    return '<span class="scripted">' + "".join(
        f'<button type="button" data-do="{mode}" {about} aria-label="{word} {text(target)}">{word}</button>'
        for mode, word in [*wanted, ("weight", "Weight")]) + "</span>"


def opening(label: str, shown: Columns, change: bool = False, kind: str = "servers") -> str:
    """A table up to its first row; it scrolls by itself where it is too wide."""
    titles = "".join(f'<th scope="col" role="columnheader"{" class=number" if column.number else ""}>'
                     f"{text(column.title)}</th>" for column in shown)
    return (f'<div class="table" tabindex="0" role="region" aria-label="{text(label)}">'
            f'<table role="table" class="{kind}"><thead><tr role="row">'
            f'{titles}{CHANGE if change else ""}</tr></thead><tbody>')


def table(title: str, shown: Columns, rows: Iterable[Row], kind: str = "facts") -> Iterable[str]:
    """A table with its heading."""
    yield f"<h2>{text(title)}</h2>{opening(title, shown, kind=kind)}"
    for row in rows:
        yield f'<tr role="row">{"".join(data(c.title, cell(c.show(row)), c.number) for c in shown)}</tr>'
    yield "</tbody></table></div>"


def data(title: str, content: str, number: bool) -> str:
    """A cell; on a phone it stands below its title."""
    return f'<td role="cell" data-title="{text(title)}"{" class=number" if number else ""}>{content}</td>'


def cell(value: object) -> str:
    """The value, with words of state in colour."""
    tone = TONES.get(value) if isinstance(value, str) else None
    return f'<span class="{tone}">{text(value)}</span>' if tone else text(value)


def text(value: object) -> str:
    """Anything, so that nothing of it is markup: parts of it come from servers."""
    return "-" if value is None else escape(str(value))

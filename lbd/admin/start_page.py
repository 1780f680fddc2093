"""`GET /`: the status as a page for people; on a TCP address without a token a page that asks for one."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from aiohttp import web

from lbd.admin.daemon_api import DaemonApi, Refused
from lbd.admin.guard import OPERATES, READS
from lbd.admin.markup import login_page, status_page
from lbd.admin.selection import Selection

FILES = Path(__file__).parent / "page"
KINDS = {"style.css": "text/css", "live.js": "text/javascript", "icon.svg": "image/svg+xml"}
EVENTS = 20      # of the last ones
LONGEST = 200    # characters of a search
PIECES = 1000    # of a page that are made in one go, in some milliseconds: the daemon has more to do
HEADERS = {
    # Nothing from elsewhere is loaded, nothing is sent elsewhere, and no other site may frame the page.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
                               "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class StartPage:
    """The page, and the files that it needs. Every client may get them: one without a token gets a form."""

    def __init__(self, daemon: DaemonApi) -> None:
        self._daemon = daemon

    async def get(self, request: web.Request) -> web.Response:
        """200 with the page; `?find=WORDS` shows servers that have them, `?show=NAME` (repeated) opens backends.

        401 with a form for the token; the role of the token decides which buttons there are.
        """
        if not request.get(READS, False):
            if "Authorization" in request.headers:
                raise Refused(401, "the token must be one that may read everything")
            return web.Response(text=login_page(), status=401, content_type="text/html",
                                headers={**HEADERS, "WWW-Authenticate": "Bearer"})
        events = (await self._daemon.events(0, 0.0))["events"][-EVENTS:]
        show = request.query.getall("show", None)
        selection = Selection(request.query.get("find", "")[:LONGEST], None if show is None else frozenset(show))
        page = status_page(self._daemon.status(history=True), events[::-1], request.get(OPERATES, False), selection)
        return web.Response(text=await joined(page), content_type="text/html", headers=HEADERS)

    async def file(self, request: web.Request) -> web.Response:
        """200 with a file of the page, 404 for any other name."""
        name = request.match_info["file"]
        if name not in KINDS:
            raise web.HTTPNotFound
        return web.Response(text=(FILES / name).read_text(), content_type=KINDS[name],
                            headers={"Cache-Control": "no-cache"})


async def joined(pieces: Iterable[str]) -> str:
    """All pieces as one text, with a pause for others between `PIECES` of them."""
    text = []
    for number, piece in enumerate(pieces, 1):
        text.append(piece)
        if number % PIECES == 0:
            await asyncio.sleep(0)
    return "".join(text)

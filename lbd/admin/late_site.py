"""A site that is made with its first client: many a daemon runs for days without one."""

import asyncio
import select
import socket
import ssl
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from lbd import installation
from lbd.admin.acceptor import BACKLOG
from lbd.admin.daemon_api import DaemonApi
from lbd.admin.token import Token
from lbd.log.logger import logger
from lbd.net.offload import Offload
from lbd.net.tasks import Tasks

MAKING = 5.0    # seconds that clients of a drain may wait for the site to be made
PAUSE = 1.0     # seconds until the next try to make a site, when one failed


class Site(Protocol):
    """The methods of `AdminSite`."""

    async def start(self) -> None:
        """Accept connections and answer their requests from now on."""

    async def drain(self) -> None:
        """Accept the backlog, close the socket, and wait a while until clients are answered."""

    async def close(self) -> None:
        """Close the socket and all connections."""


SiteMaker = Callable[[socket.socket, ssl.SSLContext | None], Site]


def admin(daemon: DaemonApi, tokens: Sequence[Token] | None, names: Collection[str] = ()) -> SiteMaker:
    """The maker of the site of `app.admin`."""
    def make(sock: socket.socket, context: ssl.SSLContext | None) -> Site:
        from lbd.admin import app, site  # late: see _load
        return site.AdminSite(app.admin(daemon, tokens, names), sock, context)
    return make


def metrics(daemon: DaemonApi) -> SiteMaker:
    """The maker of the site of `app.metrics`."""
    def make(sock: socket.socket, context: ssl.SSLContext | None) -> Site:
        from lbd.admin import app, site  # late: see _load
        return site.AdminSite(app.metrics(daemon), sock, context)
    return make


def _load() -> object:
    """Import everything that a site is made of; in a thread, since it may take a second."""
    from lbd.admin import app, site  # late: aiohttp and Jinja are 15 MiB, and half of the time until the first answer
    return app, site


class LateSite:
    """Listens on the socket from `start` on. With the first client it makes the site; clients wait in the backlog until
    that accepts them."""

    def __init__(self, make: SiteMaker, sock: socket.socket, context: ssl.SSLContext | None = None) -> None:
        self._make = make
        self._sock = sock
        self._context = context
        self._loading = Offload("loading the admin interface", most=1)
        self._tasks = Tasks(_task_failed)
        self._made: asyncio.Task[None] | None = None
        self.misfits = False    # it cannot be made any more: another version was installed
        self._site: Site | None = None

    async def start(self) -> None:
        """Listen from now on."""
        self._sock.setblocking(False)
        self._sock.listen(BACKLOG)
        asyncio.get_running_loop().add_reader(self._sock, self._on_client)

    async def drain(self) -> None:
        """Close the socket once the clients in its backlog are answered, or after a while."""
        if self._made is None and self._sock.fileno() != -1 and _has_client(self._sock):
            self._on_client()
        if self._made is not None:
            await asyncio.wait([self._made], timeout=MAKING)
        if self._site is not None:
            await self._site.drain()

    async def close(self) -> None:
        """Close the socket and all connections; allowed without a `start`."""
        await self._tasks.cancel()
        if self._site is not None:
            await self._site.close()
        elif self._sock.fileno() != -1:
            asyncio.get_running_loop().remove_reader(self._sock)
            self._sock.close()

    def _on_client(self) -> None:
        asyncio.get_running_loop().remove_reader(self._sock)
        self._made = self._tasks.start("making of the admin interface", self._make_site())

    async def _make_site(self) -> None:
        while self._site is None:
            try:
                await self._loading.run(_load)
                site = self._make(self._sock, self._context)
                await site.start()
                self._site = site
            except Exception as error:  # no memory, a disk that hangs, files of an update under way: it may pass
                self.misfits = installation.replaced()
                logger.error("the admin interface cannot be loaded", reason=str(error) or repr(error))
                await asyncio.sleep(PAUSE)


def _has_client(sock: socket.socket) -> bool:
    """Whether a connection waits to be accepted."""
    poll = select.poll()      # select(2) takes no descriptor above 1023
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


def _task_failed(name: str, error: BaseException) -> None:
    logger.error("admin interface broken", task=name, exc_info=error)

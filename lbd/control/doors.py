"""The doors to the daemon itself: the admin interface and the metrics, each on its own socket."""

import contextlib
import grp
import os
import socket
from collections.abc import Collection

from aiohttp import web

from lbd.admin import app, token
from lbd.admin.daemon_api import DaemonApi
from lbd.admin.site import AdminSite
from lbd.admin.tls import AdminTlsContext
from lbd.errors import LbdError
from lbd.log.logger import logger
from lbd.net.offload import Offload
from lbd.process import binding, directories
from lbd.process.sockets import address_of
from lbd.schema import Admin, Config
from lbd.schema.units import Address

_DEFAULT = Admin().bind


class Door:
    """One application on one address, with TLS or without."""

    def __init__(self, web_app: web.Application, address: Address, sock: socket.socket,
                 tls: AdminTlsContext | None = None) -> None:
        self.address = address
        self.sock = sock
        self._tls = tls
        self._renewing = Offload("reading the certificate of the admin interface", most=1)
        self._site = AdminSite(web_app, sock, tls.context if tls is not None else None)

    async def open(self) -> None:
        """Answer from now on."""
        await self._site.start()

    @property
    def secure(self) -> bool:
        """It speaks TLS."""
        return self._tls is not None

    async def renew(self) -> None:
        """To be called once a second: a certificate that was renewed is used. A disk that hangs leaves the old one."""
        if self._tls is not None and not self._renewing.busy:
            with contextlib.suppress(LbdError):
                if await self._renewing.run(self._tls.look):
                    self._tls.renew()

    async def leave(self) -> None:
        """Close for another door: whoever came to this one is answered before."""
        await self._site.drain()
        await self.close()

    async def close(self) -> None:
        """Stop answering; a Unix socket's file goes."""
        await self._site.close()
        if self.address.path:
            binding.unlink(self.address.path)


def admin(config: Config, daemon: DaemonApi, owner: tuple[int, int] | None, taken: socket.socket | None = None
          ) -> Door | None:
    """The admin door, bound; None where it is off. Whoever reaches a TCP address needs a token; a Unix socket is for
    its owner, and for others as far as `mode` and `group` say. `taken` is the door's socket of the version before:
    where it is bound as it should be, it serves on. Raises `LbdError`."""
    settings = config.admin
    if settings.bind == Address():
        if taken is not None:
            taken.close()
        logger.info("no admin interface, since it is off: signals steer lbd, and the log and [metrics] tell of it")
        return None
    if settings.bind.path:
        return _unix(config, daemon, owner, taken)
    if settings.token_file is None:
        raise LbdError("admin.token_file: a TCP address needs one: whoever can connect could steer lbd")
    tokens = token.read(settings.token_file)
    web_app = app.admin(daemon, tokens, {name.lower() for name in settings.hosts})
    tls = AdminTlsContext(settings.tls) if settings.tls is not None else None
    return _door(web_app, settings.bind, "admin.bind", owner, taken, tls)


def _unix(config: Config, daemon: DaemonApi, owner: tuple[int, int] | None, taken: socket.socket | None) -> Door:
    settings, address = config.admin, config.admin.bind
    directory, name = os.path.split(address.path)
    if taken is not None and address == _DEFAULT and os.path.basename(address_of(taken).path) == name:
        address = address_of(taken)   # it may have moved to where it could be bound
    if (kept := _kept(taken, address)) is not None:
        return Door(app.admin(daemon, None), address, kept)
    default = os.path.dirname(_DEFAULT.path) if address == _DEFAULT else ""
    new = not os.path.exists(directory)
    directory = directories.private(directory, "admin.bind", default, "XDG_RUNTIME_DIR")
    address = Address(path=os.path.join(directory, name))
    group = _group(settings.group)
    sock = binding.bind_unix(address.path, "admin.bind", settings.mode)
    _give(address.path, owner, group)
    if new or default:
        _give(directory, owner, group)
        directories.let_through(directory, settings.mode)
    return Door(app.admin(daemon, None), address, sock)


def _group(name: str | None) -> int:
    """The number of a group, -1 for none."""
    if name is None:
        return -1
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise LbdError(f"admin.group: this machine has no group {name!r}") from None


def _give(path: str, owner: tuple[int, int] | None, group: int) -> None:
    uid, gid = owner or (-1, -1)
    try:
        if (uid, gid, group) != (-1, -1, -1):
            os.chown(path, uid, group if group != -1 else gid)
    except OSError as error:
        raise LbdError(f"admin.group: {path} cannot be given to that group: {error.strerror}; lbd must be in it, or "
                       "start as root") from None


def metrics(config: Config, daemon: DaemonApi, owner: tuple[int, int] | None = None, taken: socket.socket | None = None,
            shared: Collection[int] = ()) -> Door | None:
    """The metrics' door, bound; None when there is to be none. `shared` are ports that lbd itself holds: one that a
    reload gives up for this door is taken over beside its holder, so that one of them answers at any time. Raises
    `LbdError`."""
    address = config.metrics.bind
    if address is None:
        if taken is not None:
            taken.close()
        return None
    return _door(app.metrics(daemon), address, "metrics.bind", owner, taken, shared=shared)


def _door(web_app: web.Application, address: Address, what: str, owner: tuple[int, int] | None,
          taken: socket.socket | None, tls: AdminTlsContext | None = None, shared: Collection[int] = ()) -> Door:
    sock = _kept(taken, address)
    if address.path:
        return Door(web_app, address, sock or binding.bind_unix(address.path, what))
    sock = sock or binding.bind_tcp(address, what, address.port in shared)
    if owner is not None:
        os.fchown(sock.fileno(), *owner)   # only sockets of one user share a port, also those that are bound later
    return Door(web_app, Address(address.host, sock.getsockname()[1]), sock, tls)


def _kept(taken: socket.socket | None, address: Address) -> socket.socket | None:
    """The socket, if it is bound there; else it is closed."""
    if taken is not None and address_of(taken) != address:
        taken.close()
        taken = None
    return taken

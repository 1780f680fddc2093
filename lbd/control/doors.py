"""The doors to the daemon itself: the admin interface and the metrics, each on its own socket."""

import os
import socket

from aiohttp import web

from lbd.admin import app, token
from lbd.admin.app import Site
from lbd.admin.asked import Daemon
from lbd.config.schema import Admin, Config
from lbd.config.units import Address
from lbd.control import binding, directories
from lbd.errors import LbdError

OWNER_ONLY = 0o600
_DEFAULT = Admin().bind


class Door:
    """One application on one address."""

    def __init__(self, web_app: web.Application, address: Address, sock: socket.socket) -> None:
        self.address = address
        self._site = Site(web_app, sock)

    async def open(self) -> None:
        """Answer from now on."""
        await self._site.start()

    async def close(self) -> None:
        """Stop answering; a Unix socket's file goes."""
        await self._site.close()
        if self.address.path:
            binding.unlink(self.address.path)


def admin(config: Config, daemon: Daemon, owner: tuple[int, int] | None) -> Door:
    """The admin door, bound; only its owner may use a Unix socket. Raises `LbdError`."""
    address = config.admin.bind
    if not address.path:
        if config.admin.token_file is None:
            raise LbdError("admin.token_file: a TCP address needs one: whoever can connect could steer lbd")
        tokens = token.read(config.admin.token_file)
        return _door(app.admin(daemon, tokens, {name.lower() for name in config.admin.hosts}), address, "admin.bind")
    if not address.path.startswith("@"):
        directory, name = os.path.split(address.path)
        default = os.path.dirname(_DEFAULT.path)
        directory = directories.private(directory, "admin.bind", default if address == _DEFAULT else "",
                                        "XDG_RUNTIME_DIR")
        address = Address(path=os.path.join(directory, name))
    sock = binding.bind_unix(address.path, "admin.bind", OWNER_ONLY)
    if owner is not None:
        os.chown(address.path, *owner)
        if address == _DEFAULT:
            os.chown(os.path.dirname(address.path), *owner)
    return Door(app.admin(daemon, None), address, sock)


def metrics(config: Config, daemon: Daemon) -> Door | None:
    """The metrics' door, bound; None when there is to be none. Raises `LbdError`."""
    address = config.metrics.bind
    if address is None:
        return None
    return _door(app.metrics(daemon), address, "metrics.bind")


def _door(web_app: web.Application, address: Address, what: str) -> Door:
    if address.path:
        return Door(web_app, address, binding.bind_unix(address.path, what))
    sock = binding.bind_tcp(address, what, False)
    return Door(web_app, Address(address.host, sock.getsockname()[1]), sock)

"""The admin server: the admin interface on a Unix socket, or on a TCP address for clients with a token."""

import grp
import os
import socket

from lbd.admin import late_site, token
from lbd.admin.daemon_api import DaemonApi
from lbd.admin.tls import AdminTlsContext
from lbd.control import api_server
from lbd.control.api_server import ApiServer
from lbd.errors import LbdError
from lbd.log.logger import logger
from lbd.process import binding, directories
from lbd.process.sockets import address_of
from lbd.schema import Admin, Config
from lbd.schema.units import Address

_DEFAULT = Admin().bind


def bind_admin_server(config: Config, daemon: DaemonApi, owner: tuple[int, int] | None,
                      inherited: socket.socket | None = None) -> ApiServer | None:
    """The admin server, bound; None where it is off. A TCP address needs a token; a Unix socket is for its owner, and
    for others as far as `mode` and `group` say. `inherited` is its socket of the version before: where it is bound as
    it should be, it serves on. Raises `LbdError`."""
    settings = config.admin
    if settings.bind == Address():
        if inherited is not None:
            inherited.close()
        logger.info("no admin interface, since it is off: signals steer lbd, and the log and [metrics] tell of it")
        return None
    if settings.bind.path:
        return _bind_unix(config, daemon, owner, inherited)
    if settings.token_file is None:
        raise LbdError("admin.token_file: a TCP address needs one: whoever can connect could steer lbd")
    tokens = token.read_tokens(settings.token_file)
    make = late_site.admin(daemon, tokens, {name.lower() for name in settings.hosts})
    tls = AdminTlsContext(settings.tls) if settings.tls is not None else None
    return api_server.bind(make, settings.bind, "admin.bind", owner, inherited, tls)


def _bind_unix(config: Config, daemon: DaemonApi, owner: tuple[int, int] | None, inherited: socket.socket | None
               ) -> ApiServer:
    settings, address = config.admin, config.admin.bind
    directory, name = os.path.split(address.path)
    if inherited is not None and address == _DEFAULT and os.path.basename(address_of(inherited).path) == name:
        address = address_of(inherited)   # it may have moved to where it could be bound
    if (sock := api_server.reusable(inherited, address)) is not None:
        return ApiServer(late_site.admin(daemon, None), address, sock)
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
    return ApiServer(late_site.admin(daemon, None), address, sock)


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

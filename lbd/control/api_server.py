"""A server of the daemon's own API: one application on one socket, with TLS or without."""

import contextlib
import os
import socket
from collections.abc import Collection

from lbd.admin.late_site import LateSite, SiteMaker
from lbd.admin.tls import AdminTlsContext
from lbd.errors import LbdError
from lbd.net.offload import Offload
from lbd.process import binding
from lbd.process.sockets import address_of
from lbd.schema.units import Address


class ApiServer:
    """The server of one site on one bound socket."""

    def __init__(self, make: SiteMaker, address: Address, sock: socket.socket,
                 tls: AdminTlsContext | None = None) -> None:
        self.address = address
        self.sock = sock
        self._tls = tls
        self._renewing = Offload("reading the certificate of the admin interface", most=1)
        self._site = LateSite(make, sock, tls.context if tls is not None else None)

    async def open(self) -> None:
        """Answer from now on."""
        await self._site.start()

    @property
    def secure(self) -> bool:
        """Whether it speaks TLS."""
        return self._tls is not None

    @property
    def misfits(self) -> bool:
        """Whether it cannot answer since another version of lbd was installed over this one."""
        return self._site.misfits

    async def renew(self) -> None:
        """Use a certificate that was renewed; called once a second. A disk that hangs leaves the old one in use."""
        if self._tls is not None and not self._renewing.busy:
            with contextlib.suppress(LbdError):
                if await self._renewing.run(self._tls.has_new_certificate):
                    self._tls.renew()

    async def drain(self) -> None:
        """Close for another server of the same API: requests that came to this one are answered before."""
        await self._site.drain()
        await self.close()

    async def close(self) -> None:
        """Stop answering; a Unix socket's file goes."""
        await self._site.close()
        if self.address.path:
            binding.unlink(self.address.path)


def bind(make: SiteMaker, address: Address, key: str, owner: tuple[int, int] | None,
         inherited: socket.socket | None, tls: AdminTlsContext | None = None, shared: Collection[int] = ()
         ) -> ApiServer:
    """A server bound to the address that `key` of the configuration gives; the socket of the version before serves on
    where it is bound there. Raises `LbdError`."""
    sock = reusable(inherited, address)
    if address.path:
        return ApiServer(make, address, sock or binding.bind_unix(address.path, key))
    sock = sock or binding.bind_tcp(address, key, address.port in shared)
    if owner is not None:
        os.fchown(sock.fileno(), *owner)   # only sockets of one user share a port, also those that are bound later
    return ApiServer(make, Address(address.host, sock.getsockname()[1]), sock, tls)


def reusable(inherited: socket.socket | None, address: Address) -> socket.socket | None:
    """The socket of the version before, if it is bound there; else it is closed."""
    if inherited is not None and address_of(inherited) != address:
        inherited.close()
        inherited = None
    return inherited

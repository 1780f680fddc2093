"""The connect of a check: to an IP address, or to a Unix socket with a file or an abstract name."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from lbd.schema.units import Address


async def dial(factory: Callable[[], asyncio.Protocol], address: Address, **tls: Any) -> tuple[Any, Any]:
    """Connect; returns the transport and the protocol that `factory` made. `tls` are `ssl` and `server_hostname` of
    `loop.create_connection`. Raises `OSError`."""
    loop = asyncio.get_running_loop()
    if not address.path:
        return await loop.create_connection(factory, address.host, address.port, **tls)
    # Not by the loop: libuv ends a path at its first NUL, which an abstract name begins with. It cannot block either:
    # a Unix socket is connected at once, or the backlog of its listener is full (EAGAIN).
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        sock.connect(address.sun_path)
        return await loop.create_unix_connection(factory, sock=sock, **tls)
    except BaseException:
        sock.close()
        raise

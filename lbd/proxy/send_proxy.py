"""What a server is told of its client: the PROXY header with which a connection to it begins."""

from typing import Any, Protocol

from lbd.net import proxy_header
from lbd.net.proxy_header import PASSED_ON, VERSIONS, End, Header


class Introduced(Protocol):
    """A client, as far as it has to be introduced."""

    transport: Any
    introduced: Header | None


def introduction(client: Introduced, version: str) -> bytes:
    """The header for the client: its addresses as they are, or as the proxy before lbd told them."""
    told = client.introduced
    if told is not None:
        extras = [extra for extra in told.extras if extra[0] in PASSED_ON]
        if told.source is not None:
            return proxy_header.write(VERSIONS[version], told.source, told.target, extras)
    else:
        extras = []
    source, target = (_end(client.transport.get_extra_info(name)) for name in ("peername", "sockname"))
    return proxy_header.write(VERSIONS[version], source, target, extras)


def _end(name: Any) -> End | None:
    """Sockets of other families than IP, and closed ones, have no address to tell."""
    return (name[0].removeprefix("::ffff:"), name[1]) if isinstance(name, tuple) else None

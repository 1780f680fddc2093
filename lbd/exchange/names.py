"""The names for which requests are, where a connection to a server is for one name alone (SNI, RFC 6066 section 3)."""

from functools import lru_cache

from lbd.backend.server import Server
from lbd.exchange.streams import Requester, ServerConnection
from lbd.schema.addresses import name_of_host

REMEMBERED = 1024        # values of Host of which the name is known
LONGEST = 260            # bytes of a Host that has a name, with a dot at its end and a port: no other is remembered


def name_in(host: bytes) -> str:
    """The host name in a value of Host, in lower case; "" where it is an address, or nothing that a certificate has."""
    return known_name(host) if len(host) <= LONGEST else ""


@lru_cache(REMEMBERED)
def known_name(host: bytes) -> str:
    """As `name_in`, of a Host that is not too long to be remembered."""
    return name_of_host(host.decode("latin-1").rpartition(":")[0] if b":" in host else host.decode("latin-1"))


def connection_for(server: Server, exchange: Requester) -> ServerConnection | None:
    """The newest idle connection to the server for the name of the request, which is idle no more; None: there is
    none."""
    name = name_in(exchange.host)
    for connection in reversed(server.idle):
        if connection.name == name:
            del server.idle[connection]
            found: ServerConnection = connection
            return found
    return None

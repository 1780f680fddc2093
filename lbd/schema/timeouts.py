"""Keys of [timeouts], and of the same table of a listener or backend."""

from dataclasses import dataclass

from lbd.schema import units as u
from lbd.schema.keys import key


@dataclass(frozen=True, slots=True)
class Timeouts:
    """[timeouts]: defaults; a listener or backend may override its own."""

    client_header: float = key("10s", u.duration(0.001), "from the first byte of a request to the end of its head")
    client_idle: float = key("60s", u.duration(0.001), "how long an idle client connection is kept")
    client_body: float = key("30s", u.duration(0.001), "between two reads of a request body, or writes of a response")
    connect: float = key("5s", u.duration(0.001), "for opening a connection to a server")
    server: float = key("60s", u.duration(0.001), "until the head of a response, then between reads of its body")
    server_idle: float = key("60s", u.duration(0.001), "how long an idle connection to a server is kept")
    tunnel: float = key("1h", u.duration(0.001), "how long a tunnel (WebSocket, tcp connection) may be silent")
    half_closed: float = key("5m", u.duration(0.001), "the same once one of its sides has sent its last")
    queue: float = key("5s", u.DURATION, "longest wait for a free server")

"""Slow start: the weight of a server that is new or back up grows in a straight line, from a tenth to all of it."""

from collections.abc import Iterable

from lbd.backend.server import Server

LEAST = 0.1          # of the weight, at the beginning
STEP = 0.25          # seconds between two steps


class SlowStart:
    """The servers of one backend whose weight grows. It has no clock: the first `step` after a beginning starts it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.growing: dict[Server, float | None] = {}     # since when; None: since the next step
        self.spared: set[Server] = set()
        self.stepped = 0.0

    def spare(self, servers: Iterable[Server]) -> None:
        """These are there from the start: that their first check passes does not make them new."""
        self.spared = {server for server in servers if server.health == "unknown"}

    def judge(self, server: Server, served: bool) -> None:
        """The server changed; `served`: it served until then. Whoever begins to serve begins slowly."""
        serves = server.serves
        if serves and not served and self.seconds and server not in self.spared:
            self.growing[server] = None
            server.grow(LEAST)
        elif not serves:
            self.forget(server)
        if server.health != "unknown":
            self.spared.discard(server)

    def forget(self, server: Server) -> None:
        """It is gone, or does not serve any more."""
        if server in self.growing:
            del self.growing[server]
            server.grow(1.0)

    def keep(self, servers: Iterable[Server], seconds: float) -> None:
        """These servers are there now, and this is how long their weight grows; 0: not at all."""
        self.seconds = seconds
        for server in self.growing.keys() - set(servers) if seconds else set(self.growing):
            self.forget(server)

    def step(self, now: float) -> bool:
        """It is `now` by a monotonic clock: let weights grow; whether any did."""
        if now - self.stepped < STEP:
            return False
        self.stepped = now
        for server, since in list(self.growing.items()):
            if since is None:
                self.growing[server] = since = now
            grown = (now - since) / self.seconds
            if grown >= 1.0:
                self.forget(server)
            else:
                server.grow(LEAST + (1.0 - LEAST) * grown)
        return True

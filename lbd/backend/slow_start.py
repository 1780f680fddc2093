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
        self.shares: dict[Server, float] = {}             # of the weight, of those that grow
        self.spared: set[Server] = set()
        self.stepped = 0.0

    def spare(self, servers: Iterable[Server]) -> None:
        """Let servers that are there from the start begin at once: their first check does not make them new."""
        self.spared = {server for server in servers if server.health == "unknown"}

    def judge(self, server: Server, served: bool) -> None:
        """Decide on a server after its `update`; one that serves and did not before (`served`) begins slowly."""
        serves = server.serves
        if serves and not served and self.seconds and server not in self.spared:
            self.growing[server] = None
            self._grow(server, LEAST)
        elif not serves:
            self.forget(server)
        elif server in self.growing:
            server.grow(self.shares[server])
        if server.health != "unknown":
            self.spared.discard(server)

    def forget(self, server: Server) -> None:
        """Give the server its whole weight: it is gone, does not serve any more, or has grown up."""
        if server in self.growing:
            del self.growing[server], self.shares[server]
            server.grow(1.0)

    def _grow(self, server: Server, share: float) -> None:
        self.shares[server] = share
        server.grow(share)

    def keep(self, servers: Iterable[Server], seconds: float) -> None:
        """Let weights grow for so many seconds (0: not at all), of these servers alone."""
        self.seconds = seconds
        for server in self.growing.keys() - set(servers) if seconds else set(self.growing):
            self.forget(server)

    def step(self, now: float) -> bool:
        """Let weights grow, at `now` by a monotonic clock; true if any may have changed."""
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
                self._grow(server, LEAST + (1.0 - LEAST) * grown)
        return True

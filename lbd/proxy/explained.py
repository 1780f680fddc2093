"""Explained answers: the field `X-Lbd-Explain` says how an answer came about, for clients that may know it."""

import asyncio
import hmac
from collections.abc import Callable
from typing import Any

from lbd.http import head
from lbd.proxy.client import Client
from lbd.proxy.listener import Listener, Membership
from lbd.schema.units import Network
from lbd.stats.endings import ENDINGS
from lbd.stats.scoreboard import now

FIELD = b"x-lbd-explain"
MOST = 100      # tickets at a time

Edits = tuple[tuple[bytes, ...], bytes]


class Explanations:
    """The clients of one worker that get explanations. `kind` is the class of new client connections: a plain `Client`
    while there are none, so that requests cost nothing more; `follow` is called when it changes."""

    def __init__(self, loop: asyncio.AbstractEventLoop, follow: Callable[[], None]) -> None:
        self._loop = loop
        self._follow = follow
        self._networks: Membership | None = None
        self._tickets: set[bytes] = set()
        self.kind: type[Client] = Client

    def set_networks(self, networks: tuple[Network, ...]) -> None:
        """Explain answers to clients of these networks, on connections that they open from now on."""
        self._networks = Membership(networks) if networks else None
        self._choose()

    def admit(self, ticket: bytes, seconds: float) -> None:
        """Explain the answer to one request with this ticket in its field of the same name, within so many seconds."""
        if len(self._tickets) < MOST:
            self._tickets.add(ticket)
            self._loop.call_later(seconds, self._expire, ticket)
            self._choose()

    def wanted(self, source: bytes, presented: list[bytes]) -> bool:
        """Whether the answer to the request is to be explained; a ticket is good once in each worker."""
        for ticket in [ticket for ticket in self._tickets if any(hmac.compare_digest(ticket, p) for p in presented)]:
            self._expire(ticket)
            return True
        return self._networks is not None and self._networks.has(source)

    def _expire(self, ticket: bytes) -> None:
        self._tickets.discard(ticket)
        self._choose()

    def _choose(self) -> None:
        kind = Explained if self._networks is not None or self._tickets else Client
        if kind is not self.kind:
            self.kind = kind
            self._follow()


class Explained(Client):
    """A client's connection whose answers may carry the field: the way of the request, and times in milliseconds."""

    __slots__ = ("_begun", "_chosen", "_edits", "_reached", "_told")

    _edits: Edits | None

    def __init__(self, plane: Any, listener: Listener) -> None:
        self._begun = self._chosen = self._reached = 0.0
        self._told = False
        super().__init__(plane, listener)

    @property
    def response_edits(self) -> Edits | None:
        """The edits of the response, with this field; that of a server is removed."""
        if not self._told:
            return self._edits
        removed, added = self._edits or ((), b"")
        return (*removed, FIELD), added + self._line(False)

    @response_edits.setter
    def response_edits(self, edits: Edits | None) -> None:
        self._edits = edits

    def dispatch(self, server: Any = None) -> None:
        """Note when a server is chosen, at once or after a wait."""
        self._decide()
        self._chosen = now()
        super().dispatch(server)

    def connected(self, upstream: Any) -> None:
        """Note when the connection to the server stands."""
        self._reached = now()
        super().connected(upstream)

    def respond(self, status: int, answer: bytes, ending: int) -> None:
        """Explain an answer of lbd itself."""
        self._decide()
        if self._told:
            answer = head.edit(answer, None, (FIELD,), self._line(True, f"; ending={ENDINGS[ending].name}"))
        super().respond(status, answer, ending)

    def _decide(self) -> None:
        """Decide once per request whether its answer is explained. The ticket is not for the server."""
        if self._begun == self.record.started:
            return
        self._begun = self.record.started
        self._chosen = self._reached = 0.0
        presented = head.values(self.payload, FIELD)
        self._told = self.plane.explanations.wanted(self.source, presented)
        if presented and self._told:
            self.payload = head.edit(self.payload, None, (FIELD,), b"")

    def _line(self, itself: bool, more: str = "") -> bytes:
        generation = self.plane.in_force.generation
        parts = [f"generation={generation.number if generation is not None else 0}", f"listener={self.listener.name}",
                 f"route={self.action.index if self.action.index >= 0 else '-'}"]
        if self.backend.name:
            parts += [f"backend={self.backend.name}", f"algorithm={self.backend.settings.algorithm.name}"]
        if self.server is not None and not itself:
            parts.append(f"server={self.server.name}")
            if self.backend.sticky is not None and self.server is self.preferred:
                parts.append("by=cookie")
        if self.tried:
            parts.append(f"tried={','.join(server.name for server in self.tried)}")
        moment = now()
        if self._chosen:
            parts.append(f"queue={_milliseconds(self._begun, self._chosen)}")
        if not itself:
            parts += [f"connect={_milliseconds(self._chosen, self._reached)}" if self._reached else "connect=reused",
                      f"first-byte={_milliseconds(self._begun, moment)}"]
        parts.append(f"worker={self.plane.assembly.lane}")
        return f"X-Lbd-Explain: {'; '.join(parts)}{more}\r\n".encode()


def _milliseconds(first: float, last: float) -> str:
    return f"{max(last - first, 0.0) * 1000:.1f}ms"

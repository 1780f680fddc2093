"""The chain of a route's filters: calls each of their hooks in order, for answers in the order turned round."""

from collections.abc import Callable, Sequence

from lbd.exchange.context import FilterChain
from lbd.exchange.filter import PASS, Filter, FilterAnswer, Hold, give
from lbd.exchange.states import ENDED
from lbd.exchange.streams import Requester
from lbd.http import head as flags_of
from lbd.http.message import Head
from lbd.log.logger import logger
from lbd.stats import endings, fields
from lbd.stats.scoreboard import Row, now

QUIET = 1.0      # seconds between two lines in the log

LENGTH, CHUNKED, UNTIL_CLOSE = flags_of.LENGTH, flags_of.CHUNKED, flags_of.UNTIL_CLOSE
NO_CONTENT = (204, 205, 304)

Data = Callable[[Requester, bytes, bool], bytes]


class Chain(FilterChain):
    """The filters of a route. Of each the hooks that it overrides are called. `entered` are those of its listener,
    which saw the request before it had a route; `process` is where failures are counted."""

    def __init__(self, process: Row, filters: Sequence[Filter], entered: Sequence[Filter] = ()) -> None:
        whole = (*entered, *filters)
        back = whole[::-1]
        self.filters = whole
        self._process = process
        self._entered = tuple(entered)
        self.entrance = False
        self._asked = overriding("on_request", filters)
        self._heard = overriding("on_response", back)
        self._own = tuple(it for it in self._heard if it.own_answers)
        self._senders = overriding("on_request_data", whole)
        self._receivers = overriding("on_response_data", back)
        self._parts = tuple(it for it in self._receivers if it.partial)
        self._ends = overriding("on_end", whole)
        self.sends = bool(self._senders)
        self.receives = bool(self._receivers)
        self._quiet_until = 0.0

    def explained(self, first: Filter) -> "Chain":
        """The same with one more filter before the others."""
        return Chain(self._process, (first, *self.filters[len(self._entered):]), self._entered)

    def admit(self, exchange: Requester, start: int) -> bool:
        """Ask the filters from that one on; False where one answered, or holds the exchange."""
        head, number = exchange.request, start
        if head is None:
            return True
        try:
            for it in self._asked[start:] if start else self._asked:
                number += 1
                self.asking = it
                found = it.on_request(exchange, head)
                if found is not None and not (isinstance(found, Hold) and self.asking is None):
                    return self._stop(exchange, found, number)
        except Exception as error:
            if self._passes(exchange, self._asked[number - 1], "on_request", error):
                return exchange.state != ENDED and self.admit(exchange, number)
            exchange.broken(endings.FILTER_FAILED)
            return False
        if exchange.state == ENDED:
            return False
        if self.sends and not self.entrance:
            return self._frame_request(exchange, head)
        return True

    def asker(self, number: int) -> object:
        """The filter that was asked before that one."""
        return self._asked[number - 1]

    def _stop(self, exchange: Requester, found: FilterAnswer | Hold, number: int) -> bool:
        """Do what a filter wants instead of going on."""
        if exchange.state == ENDED:
            return False
        if isinstance(found, Hold):
            exchange.hold(number, found.seconds)
        elif isinstance(found, FilterAnswer):
            give(exchange, found)
        else:
            raise TypeError(f"on_request returned {type(found).__name__}; a FilterAnswer, a Hold or None is wanted")
        return False

    def respond(self, exchange: Requester, head: Head, data: bytes, end: bool) -> bytes:
        """Change the head of an answer, and the part of its body that came with it, which is returned."""
        number = 0
        try:
            for it in self._heard:
                number += 1
                it.on_response(exchange, head)
        except Exception as error:
            if not self._respond_on(exchange, head, number, error):
                exchange.broken(endings.FILTER_FAILED)
                return b""
        if self.receives:
            return self._frame_response(exchange, head, data, end)
        return data

    def _respond_on(self, exchange: Requester, head: Head, number: int, error: Exception) -> bool:
        """Go on behind a filter that failed; False where the answer may not pass without one of them."""
        failed: Exception | None = error
        while failed is not None:
            if not self._passes(exchange, self._heard[number - 1], "on_response", failed):
                return False
            failed = None
            try:
                for it in self._heard[number:]:
                    number += 1
                    it.on_response(exchange, head)
            except Exception as another:
                failed = another
        return True

    def answer(self, exchange: Requester, head: Head) -> None:
        """Change the head of lbd's own answer, which goes out whatever a filter does."""
        for it in self._own:
            try:
                it.on_response(exchange, head)
            except Exception as error:
                self._passes(exchange, it, "on_response", error)

    def send(self, exchange: Requester, data: bytes, end: bool) -> bytes:
        """The bytes that go to the server in the place of some of the request's body."""
        for it in self._senders if data or end else ():
            data = self._turn(exchange, it, it.on_request_data, data, end)
            if exchange.state == ENDED:
                return b""
        return data

    def receive(self, exchange: Requester, data: bytes, end: bool) -> bytes:
        """The bytes that go to the client in the place of some of the answer's body."""
        if not data and not end:
            return data
        for it in self._parts if exchange.record.status == 206 else self._receivers:
            data = self._turn(exchange, it, it.on_response_data, data, end)
            if exchange.state == ENDED:
                return b""
        return data

    def _turn(self, exchange: Requester, it: Filter, hook: Data, data: bytes, end: bool) -> bytes:
        """The bytes that a filter makes of these; the exchange is over where it failed and may not be passed by."""
        try:
            made = hook(exchange, data, end)
            if not isinstance(made, bytes):
                raise TypeError(f"it returned {type(made).__name__}; bytes are wanted")
        except Exception as error:
            if self._passes(exchange, it, hook.__name__, error):
                return data
            exchange.broken(endings.FILTER_FAILED)
            return b""
        return made

    def end(self, exchange: Requester, ending: int) -> None:
        """Tell the filters that the exchange is over."""
        for it in self._ends:
            try:
                it.on_end(exchange, ending)
            except Exception as error:
                self._passes(exchange, it, "on_end", error)

    def _frame_request(self, exchange: Requester, head: Head) -> bool:
        """Have the request's body sent in a framing that does not tell its length beforehand; False where a filter
        failed on what of it is here."""
        if not head.length and not head.flags & CHUNKED:
            return True
        before = exchange.body
        exchange.body = self.send(exchange, before, exchange.sent)
        if exchange.state == ENDED:
            return False
        if not head.flags & CHUNKED:
            if exchange.sent:
                if exchange.body != before:
                    head.set(b"Content-Length", b"%d" % len(exchange.body))
            else:
                head.change((b"content-length",), b"Transfer-Encoding: chunked\r\n")
                head.flags = (head.flags | CHUNKED) & ~LENGTH
        head.framed = False
        return True

    def _frame_response(self, exchange: Requester, head: Head, data: bytes, end: bool) -> bytes:
        """Have the answer's body sent in a framing that does not tell its length beforehand; returns what of it is here
        already, unless that is all."""
        request = exchange.request
        if request is None or (head.status == 206 and not self._parts):
            return data
        if request.to_head or head.status == 304:
            head.remove(b"content-length")
            return data
        if head.status in NO_CONTENT:
            return data
        if end:
            text = head.text
            whole = self.receive(exchange, text[head.size:], True)
            if exchange.state != ENDED:
                if len(whole) != len(text) - head.size:
                    head.set(b"Content-Length", b"%d" % len(whole))
                head.join(whole)
            return b""
        if head.flags & CHUNKED:
            head.framed = False
        elif not head.flags & UNTIL_CLOSE:
            last = request.minor == 0
            head.change((b"content-length", b"connection") if last else (b"content-length",),
                        b"Connection: close\r\n" if last else b"Transfer-Encoding: chunked\r\n")
            head.flags = (head.flags | (UNTIL_CLOSE if last else CHUNKED)) & ~LENGTH
        return self.receive(exchange, data, False) if data else data

    def _passes(self, exchange: Requester, it: Filter, hook: str, error: Exception) -> bool:
        """Count and log the failure of a filter; whether the exchange may go on without it."""
        self._process.add(fields.PROCESS_FILTER_ERRORS, 1)
        moment = now()
        if moment >= self._quiet_until:
            self._quiet_until = moment + QUIET
            logger.warning("a filter failed", filter=type(it).__name__, hook=hook, backend=exchange.route.backend.name,
                           listener=exchange.peer.listener.name, reason=f"{type(error).__name__}: {error}",
                           then="the request goes on without it" if it.on_error == PASS else "the request is refused")
        return it.on_error == PASS or exchange.state == ENDED


def overriding(hook: str, filters: Sequence[Filter]) -> tuple[Filter, ...]:
    """The filters whose class has a hook of its own."""
    return tuple(it for it in filters if getattr(type(it), hook) is not getattr(Filter, hook))

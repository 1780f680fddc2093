"""Filters of an operator's own, for the tests."""

from dataclasses import dataclass
from typing import ClassVar

from lbd.exchange.filter import Filter, FilterAnswer, FilterContext, Hold
from lbd.exchange.streams import Requester
from lbd.exchange.subrequest import Subrequest, request
from lbd.http.message import Head


def own(*names: str) -> str:
    """The key of the configuration that lists filters of this file, or tables."""
    listed = (name if name.startswith("{") else f'"{__name__}:{name}"' for name in names)
    return f"filters = [{', '.join(listed)}]"


class Upper(Filter):
    """Answers in capitals."""

    def on_response_data(self, exchange: Requester, data: bytes, end: bool) -> bytes:
        return data.upper()


class Framed(Filter):
    """Something before and behind the body of requests and of answers."""

    partial = True

    def on_request_data(self, exchange: Requester, data: bytes, end: bool) -> bytes:
        return self._framed(exchange, "request", data, end)

    def on_response_data(self, exchange: Requester, data: bytes, end: bool) -> bytes:
        return self._framed(exchange, "answer", data, end)

    def _framed(self, exchange: Requester, side: str, data: bytes, end: bool) -> bytes:
        notes = exchange.notes = exchange.notes if exchange.notes is not None else {}
        begun = notes.setdefault((self, side), False)
        notes[self, side] = True
        return (b"" if begun else b"<") + data + (b">" if end else b"")


class Named(Filter):
    """Fields that show in which order filters were called."""

    @dataclass(frozen=True)
    class Options:
        name: str
        own: bool = False

    own_answers = True

    def __init__(self, options: Options, context: FilterContext) -> None:
        super().__init__(options, context)
        self.name = options.name.encode()

    def on_request(self, exchange: Requester, head: Head) -> None:
        head.add(b"X-Passed", self.name)

    def on_response(self, exchange: Requester, head: Head) -> None:
        head.add(b"X-Passed", self.name)


class Failing(Filter):
    """Raises wherever the request says so."""

    @dataclass(frozen=True)
    class Options:
        passes: bool = False

    def __init__(self, options: Options, context: FilterContext) -> None:
        super().__init__(options, context)
        if options.passes:
            self.on_error = "pass"      # type: ignore[misc]

    def on_request(self, exchange: Requester, head: Head) -> FilterAnswer | None:
        self._fail(exchange, b"request")
        return FilterAnswer(403, b"no\n", fields=((b"X-Why", b"asked"),)) if head.get(b"x-refuse") else None

    def on_response(self, exchange: Requester, head: Head) -> None:
        self._fail(exchange, b"response")

    def on_request_data(self, exchange: Requester, data: bytes, end: bool) -> bytes:
        self._fail(exchange, b"request-data")
        return data

    def on_response_data(self, exchange: Requester, data: bytes, end: bool) -> bytes:
        self._fail(exchange, b"response-data")
        return "text" if exchange.field(b"x-fail") == b"text" else data     # type: ignore[return-value]

    def on_end(self, exchange: Requester, ending: int) -> None:
        self._fail(exchange, b"end")

    def _fail(self, exchange: Requester, hook: bytes) -> None:
        if exchange.field(b"x-fail") == hook:
            raise RuntimeError("as asked")


class Rewriting(Filter):
    """Another path, before the request has a route."""

    def on_request(self, exchange: Requester, head: Head) -> FilterAnswer | None:
        if head.target == b"/stop":
            return FilterAnswer(418, b"stop\n")
        if head.target.startswith(b"/old/"):
            head.target = b"/new/" + head.target[5:]
        return None


class Holding(Filter):
    """Holds each request; the test lets it go."""

    held: ClassVar[list[Requester]] = []
    ended: ClassVar[list[int]] = []
    made: ClassVar["Holding"]

    def __init__(self, options: object, context: FilterContext) -> None:
        super().__init__(options, context)
        Holding.made = self
        Holding.held, Holding.ended = [], []

    def on_request(self, exchange: Requester, head: Head) -> Hold:
        self.held.append(exchange)
        return Hold(5.0)

    def on_end(self, exchange: Requester, ending: int) -> None:
        self.ended.append(ending)


class Hasty(Filter):
    """Lets a request go before it holds it: `exchange` or `self` as the request says; `none`: it holds nothing then."""

    def on_request(self, exchange: Requester, head: Head) -> Hold | None:
        if head.get(b"x-release") == b"self":
            self.release(exchange)
        else:
            exchange.release()
        return None if head.get(b"x-release") == b"none" else Hold(5.0)


class Asking(Filter):
    """Asks another backend, and goes on or answers by what it hears."""

    @dataclass(frozen=True)
    class Options:
        backend: str
        seconds: float = 2.0

    def __init__(self, options: Options, context: FilterContext) -> None:
        super().__init__(options, context)
        self.ask = options

    def on_request(self, exchange: Requester, head: Head) -> Hold:
        def heard(status: int, answer: Head | None, body: bytes) -> None:
            if status == 200:
                self.release(exchange)
            else:
                self.answer(exchange, FilterAnswer(403, b"%d %b" % (status, body)))

        asked = request(b"GET", b"/check", b"guard", [(b"X-Path", head.target)])
        asking = Subrequest(self.context.worker, exchange.peer, self.context.backends[self.ask.backend], asked, heard,
                            self.ask.seconds)
        exchange.notes = {self: asking}
        return Hold(10.0)

    def on_end(self, exchange: Requester, ending: int) -> None:
        asking = (exchange.notes or {}).get(self)
        if isinstance(asking, Subrequest):
            asking.cancel()

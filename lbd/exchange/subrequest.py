"""Requests of lbd's own, on no client's connection: those that filters make, to ask a backend or to mirror one."""

from collections.abc import Callable, Sequence

from lbd.exchange import deadlines
from lbd.exchange.context import WorkerContext
from lbd.exchange.exchange import Exchange
from lbd.exchange.states import ENDED
from lbd.exchange.streams import Downstream, Peer
from lbd.http.ids import request_id
from lbd.http.message import Head
from lbd.log.logger import logger
from lbd.routing.target import RouteTarget
from lbd.stats import endings

LARGEST = 64 * 1024      # bytes of an answer's body, unless another limit is given

Done = Callable[[int, Head | None, bytes], None]


def request(method: bytes, target: bytes, host: bytes, fields: Sequence[tuple[bytes, bytes]] = (),
            body: bytes = b"") -> Head:
    """The head of a request, with a body behind it; ValueError for what cannot stand in a head."""
    if not method.isalpha() or any(mark in host for mark in (b"\r", b"\n", b" ")):
        raise ValueError("a method is letters, and a host has no white space")
    head = Head(b"%b / HTTP/1.1\r\nHost: %b\r\nX-Request-Id: %b\r\n\r\n" % (method, host, request_id()))
    head.target = target
    for name, value in fields:
        head.set(name, value)
    if body:
        head.set(b"Content-Length", b"%d" % len(body))
        head.join(body)
    return head


class Subrequest(Downstream):
    """A request without a client, which ends by itself after so many seconds.

    `done` is called once, with status, head and body of the answer, which may be lbd's own (503 and so on); status 0
    says that there was no whole one, or that its body was larger than `limit` bytes. It counts in the figures of its
    backend as any request; the access log has no line of it.
    """

    def __init__(self, context: WorkerContext, of: Peer, route: RouteTarget, request: Head, done: Done,
                 seconds: float = 10.0, limit: int = LARGEST) -> None:
        peer = Peer(of.listener)
        peer.address, peer.counted = of.address, False
        super().__init__(peer)
        self.ends = context.now + seconds
        self._context = context
        self._done: Done | None = done
        self._limit = limit
        self._answer: Head | None = None
        self._body = b""
        self._whole = False
        self.exchange = Exchange(context, peer, self)
        text = request.text
        request.minor = 0       # answers come without the framing of chunks
        request.to_head = request.method == b"HEAD"
        body = text[request.size:]
        request.length = len(body)
        request.join(b"")
        self.exchange.body = body
        context.streams.add(self)
        self.exchange.begin(request, route)

    def cancel(self) -> None:
        """Give it up; `done` is not called."""
        self._done = None
        self.stop(endings.CLIENT_CLOSED)

    def stop(self, ending: int) -> None:
        """Cut it, whatever it is doing; `done` hears of no answer."""
        try:
            self.exchange.cut(ending)
        finally:
            self._over()

    def requests(self) -> Sequence[Exchange]:
        """The exchange of it."""
        return (self.exchange,)

    def put_off(self, seconds: float) -> None:
        """Have its deadlines pass so much later."""
        self.deadline += seconds
        self.ends += seconds

    def tick(self, now: float) -> None:
        """Act on deadlines, those of the exchange and its own."""
        if self.exchange.state == ENDED:
            self._over()
        elif self.ends < now:
            self.exchange.cut(endings.CLIENT_CLOSED)
        elif self.deadline < now:
            deadlines.expire(self.exchange)

    def respond(self, head: Head, data: bytes, end: bool) -> None:
        if head.status < 200:
            return
        text = head.text
        self._answer = head
        self._whole = end
        self._take(text[head.size:] if end else data)

    def send(self, data: bytes, end: bool, trailers: bytes) -> None:
        self._whole = end
        self._take(data)

    def _take(self, data: bytes) -> None:
        self._body += data
        if len(self._body) > self._limit:
            self._answer, self._body = None, b""
            self.exchange.cut(endings.CLIENT_CLOSED)

    def pause(self) -> None:
        """Nothing is received from it: the whole request is here."""

    def resume(self) -> None:
        """Nothing is received from it."""

    def reset(self, ending: int) -> None:
        self._answer = None
        self._over()

    def ended(self, whole: bool) -> None:
        if not whole:
            self._answer = None
        self._over()

    def left(self) -> bool:
        return False

    def _over(self) -> None:
        """Tell of the answer, once."""
        self._context.streams.discard(self)
        done, self._done = self._done, None
        if done is None:
            return
        head = self._answer
        try:
            done(head.status if head is not None else 0, head, self._body if head is not None else b"")
        except Exception:       # in the middle of the end of an exchange
            logger.exception("the answer to a request of a filter could not be handled")

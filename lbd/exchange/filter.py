"""The interface of filters, which see and change exchanges on their way; `lbd.filters` has one file per kind."""

from dataclasses import dataclass
from random import Random
from typing import ClassVar, NamedTuple

from lbd.exchange.context import WorkerContext
from lbd.exchange.states import ENDED
from lbd.exchange.streams import Requester
from lbd.http import replies
from lbd.http.message import Head
from lbd.routing.target import RouteTarget
from lbd.stats import endings

REFUSE, PASS = "refuse", "pass"      # what becomes of an exchange where a filter raises


class FilterAnswer(NamedTuple):
    """An answer that a filter gives in the place of a server. `fields`: name and value of further fields."""

    status: int
    body: bytes = b""
    content_type: bytes = b"text/plain; charset=utf-8"
    fields: tuple[tuple[bytes, bytes], ...] = ()


class Hold(NamedTuple):
    """The exchange waits for so many seconds at most; the filter calls `Filter.release`, before it returns this or
    later, or has it answered by `Filter.answer`. Meanwhile the body is not read; a client that leaves ends the exchange
    (`on_end`)."""

    seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class FilterContext:
    """The surroundings of a filter in one worker: the worker, its dice, and the routes to backends by name, for
    requests of its own (`lbd.exchange.subrequest`)."""

    worker: WorkerContext
    random: Random
    backends: dict[str, RouteTarget]


class Filter:
    """A filter of a route in one generation. It has no state of an exchange: that is kept in `exchange.notes`.

    Hooks that a kind does not override are not called. Bodies are passed as content, without framing, but in the coding
    that they have: one that is compressed (Content-Encoding) stays so, and what cannot read it asks for none
    (Accept-Encoding). There is no body of an answer to HEAD, of 1xx, 204, 205 and 304, and of a tunnel, of which a
    filter sees the request alone: those answers pass as they are. Trailer fields pass as they are.
    """

    Options: ClassVar[type | None] = None       # the dataclass of its keys in the configuration
    own_answers: ClassVar[bool] = False         # `on_response` is called for lbd's own answers too
    partial: ClassVar[bool] = False             # `on_response_data` is called for a part of a whole (206) too
    on_error: ClassVar[str] = REFUSE            # or PASS: the exchange goes on without it

    def __init__(self, options: object, context: FilterContext) -> None:
        self.options = options
        self.context = context

    def on_request(self, exchange: Requester, head: Head) -> FilterAnswer | Hold | None:
        """See and change the head of a request; None: it goes on."""
        return None

    def on_request_data(self, exchange: Requester, data: bytes, end: bool) -> bytes:
        """The bytes that go on in the place of these of the request's body; `end`: these are the last."""
        return data

    def on_response(self, exchange: Requester, head: Head) -> None:
        """See and change the head of the final answer; of lbd's own one `head.ending` says why."""

    def on_response_data(self, exchange: Requester, data: bytes, end: bool) -> bytes:
        """The bytes that go on in the place of these of the answer's body; `end`: these are the last."""
        return data

    def on_end(self, exchange: Requester, ending: int) -> None:
        """The exchange is over, however it ended."""

    def describe(self) -> str:
        """A line for people of what it does."""
        return type(self).__name__

    def release(self, exchange: Requester) -> None:
        """Let an exchange go on that this filter holds, or is about to hold; nothing where another one does."""
        exchange.release(self)

    def answer(self, exchange: Requester, answer: FilterAnswer) -> None:
        """Answer an exchange that is held; nothing where it is over already."""
        give(exchange, answer)


def give(exchange: Requester, answer: FilterAnswer) -> None:
    """Answer the exchange in the place of a server, and end it."""
    request = exchange.request
    if request is None or exchange.state == ENDED:
        return
    exchange.keep = exchange.keep and exchange.sent
    text = replies.fixed(answer.status, answer.body, answer.content_type, exchange.keep, head_only=request.to_head)
    if answer.fields:
        head = Head(text)
        for name, value in answer.fields:
            head.add(name, value)
        text = head.text
    exchange.respond(answer.status, text, endings.ANSWERED)

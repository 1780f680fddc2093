"""The body of a request of HTTP/1 as it arrives (RFC 9112 6): where it ends, and what waits behind it."""

from lbd.http.head import Chunks


class RequestBody:
    """A body of so many bytes, or a chunked one. `rest`: the bytes behind its end, once it has `ended`. `fault`: the
    status to refuse it with where it is malformed or too long, and `error` why. `trailers`: the trailer lines of one
    that is passed without its framing."""

    __slots__ = ("_chunks", "ended", "error", "fault", "left", "rest", "trailers")

    def __init__(self, left: int, chunks: Chunks | None) -> None:
        self.left = left
        self.rest = self.trailers = b""
        self.ended = False
        self.fault = 0
        self.error = ""
        self._chunks = chunks

    def feed(self, data: bytes) -> bytes:
        """The part of the data that belongs to the body, as it is to be passed on."""
        chunks = self._chunks
        if chunks is None:
            extra = len(data) - self.left
            if extra > 0:
                self.rest = data[self.left:]
                data = data[:self.left]
            self.left -= len(data)
            self.ended = self.left == 0
            return data
        result = chunks.feed(data, 0)
        if result < 0:
            self.fault, self.error = -result, chunks.error
            return b""
        if result:
            self.ended = True
            self.rest = data[chunks.end:]
            self.trailers = chunks.trailers
        return chunks.out

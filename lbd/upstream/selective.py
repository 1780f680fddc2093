"""A connection to a server of a backend with `retry_on`: responses with such a status are retried elsewhere."""

from typing import Any

from lbd.upstream.upstream import HEAD, Upstream

STATUS = slice(9, 12)     # of b"HTTP/1.1 503"


class Selective(Upstream):
    """Looks at the status before the answer is read."""

    __slots__ = ()

    def data_received(self, data: bytes) -> None:
        """Bytes of a response."""
        client: Any = self.client
        if client is not None and self.mode == HEAD:
            status = (self.buffer + data[:12] if self.buffer else data)[STATUS]
            if status in client.backend.responses.retry_statuses and client.again(self, int(status)):
                return
        super().data_received(data)


def kind(statuses: frozenset[bytes]) -> type[Upstream]:
    """The class of connections to a backend that retries these statuses."""
    return Selective if statuses else Upstream

"""The callbacks of a connection: the methods of asyncio.Protocol."""

from typing import Protocol

from lbd.net.transport import Transport


class Callbacks(Protocol):
    """The protocol of one connection; asyncio.Protocol fits. An error in a callback costs its connection alone.

    Between `connection_made` and `connection_lost` the others come in any number; `connection_lost` comes exactly once,
    also (alone, with an OSError) where a connect failed. No callback but `pause_writing` comes from inside a call that
    the protocol itself made. `data_received` may return True where all that is expected of the peer is here and its
    answer comes later: a new connection need not be watched until then.
    """

    def connection_made(self, transport: Transport, /) -> None: ...

    def data_received(self, data: bytes, /) -> bool | None: ...

    def eof_received(self) -> bool | None:
        """The peer sends no more. True keeps the connection open for writing; else it closes once all is sent."""

    def pause_writing(self) -> None: ...

    def resume_writing(self) -> None: ...

    def connection_lost(self, exc: Exception | None, /) -> None: ...

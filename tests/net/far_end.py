"""The other end of a connection under test: a raw socket, which can speak TLS step by step."""

import socket
import ssl

from .conftest import Bench


class Far:
    """The other end: a raw socket, perhaps with TLS above it."""

    def __init__(self, bench: Bench, raw: socket.socket) -> None:
        self.bench = bench
        self.raw = raw
        self.tls: ssl.SSLObject | None = None
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()

    async def shake(self, context: ssl.SSLContext, name: str, data: bytes = b"") -> None:
        """Shake hands; `data` go together with the last message."""
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=name)
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                await self.flush()
                self.incoming.write(await self.bench.loop.sock_recv(self.raw, 65536))
            else:
                break
        if data:
            self.tls.write(data)
        await self.flush()

    async def flush(self) -> None:
        await self.bench.loop.sock_sendall(self.raw, self.outgoing.read())

    async def send(self, data: bytes) -> int:
        """Returns how many bytes it was on the wire."""
        if self.tls is not None:
            self.tls.write(data)
            data = self.outgoing.read()
        await self.bench.loop.sock_sendall(self.raw, data)
        return len(data)

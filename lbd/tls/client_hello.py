"""The ClientHello of TLS (RFC 8446, 4.1.2; RFC 5246, 7.4.1.2): server name and protocols of a client."""

from typing import NamedTuple

HANDSHAKE = 22            # type of a record
CLIENT_HELLO = 1          # type of a message
MAJOR = 3                 # of every version from SSL 3.0 to TLS 1.3
RECORD = 2**14            # bytes of a record's content (RFC 8446, 5.1)
LONGEST = 32 * 1024       # bytes, heads of records included; hellos with post-quantum keys have 2 KiB
RECORDS = 64              # over which it may be spread: every piece that comes has them all read again
SERVER_NAME, ALPN = 0, 16    # extensions (RFC 6066, 3; RFC 7301, 3.1)


class HelloError(ValueError):
    """The data is no ClientHello; the text says why."""


class ClientHello(NamedTuple):
    """The server `name` in lower case, "" for none, and the ALPN protocols, the client's first choice first."""

    name: str = ""
    protocols: tuple[bytes, ...] = ()


class _Reader:
    """Vectors out of bytes, one after the other; raises `HelloError` where one is cut."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def read_bytes(self, size: int) -> bytes:
        """So many bytes."""
        self.at += size
        if self.at > len(self.data):
            raise HelloError("a ClientHello with a part that is cut")
        return self.data[self.at - size:self.at]

    def read_vector(self, width: int, least: int = 0) -> bytes:
        """A vector whose length stands before it in so many bytes."""
        found = self.read_bytes(int.from_bytes(self.read_bytes(width)))
        if len(found) < least:
            raise HelloError("a ClientHello with a part that is too short")
        return found

    def ended(self) -> bool:
        """All of it was read."""
        return self.at == len(self.data)


def parse(data: bytes) -> ClientHello | None:
    """The ClientHello at the beginning of a client's data; None while it is incomplete. Raises `HelloError`."""
    message = b""
    at = records = 0
    wanted = 4
    while len(message) < wanted:
        if data[at:at + 1] not in (b"", b"\x16") or data[at + 1:at + 2] not in (b"", b"\x03"):
            raise HelloError("no TLS handshake")
        size = int.from_bytes(data[at + 3:at + 5])
        whole = len(data) >= at + 5
        if whole and not 0 < size <= RECORD:
            raise HelloError("a TLS record of a size that none has")
        records += 1
        if records > RECORDS:
            raise HelloError(f"a ClientHello in more than {RECORDS} records")
        if whole:
            message += data[at + 5:at + 5 + size]
        if message and message[0] != CLIENT_HELLO:
            raise HelloError("a TLS handshake that does not begin with a ClientHello")
        if len(message) >= 4:
            wanted = 4 + int.from_bytes(message[1:4])
            if wanted > LONGEST:
                raise HelloError(f"a ClientHello of more than {LONGEST} bytes")
        if len(message) < wanted and (not whole or len(data) < at + 5 + size):
            if len(data) > LONGEST:
                raise HelloError(f"a ClientHello of more than {LONGEST} bytes")
            return None
        at += 5 + size
    return _parse_message(_Reader(message[4:wanted]))


def _parse_message(body: _Reader) -> ClientHello:
    if body.read_bytes(2)[0] != MAJOR:
        raise HelloError("a ClientHello of an unknown version")
    body.read_bytes(32)                                       # random
    if len(body.read_vector(1)) > 32:                        # session
        raise HelloError("a ClientHello with a session that is too long")
    if len(body.read_vector(2, 2)) % 2:                      # cipher suites
        raise HelloError("a ClientHello with half a cipher suite")
    body.read_vector(1, 1)                                   # compressions
    if body.ended():                                      # before TLS 1.3 there need not be any extension
        return ClientHello()
    extensions = _Reader(body.read_vector(2))
    if not body.ended():
        raise HelloError("a ClientHello with something behind its extensions")
    found: dict[int, bytes] = {}
    while not extensions.ended():
        kind = int.from_bytes(extensions.read_bytes(2))
        if kind in found:
            raise HelloError("a ClientHello with the same extension twice")
        found[kind] = extensions.read_vector(2)
    return ClientHello(_name(found[SERVER_NAME]) if SERVER_NAME in found else "",
                       _protocols(found[ALPN]) if ALPN in found else ())


def _name(extension: bytes) -> str:
    outer = _Reader(extension)
    names = _Reader(outer.read_vector(2, 1))
    found = []
    while not names.ended():
        kind, value = names.read_bytes(1)[0], names.read_vector(2, 1)
        if kind == 0:
            found.append(value)
    if len(found) > 1:
        raise HelloError("a ClientHello with two names")
    name = found[0] if found else b""
    if not outer.ended() or len(name) > 255 or not name.isascii() or any(byte <= 32 or byte == 127 for byte in name):
        raise HelloError("a ClientHello with a bad name")
    host = name.decode().lower().removesuffix(".")
    if name and "" in host.split("."):       # a label has at least one letter (RFC 1034, 3.1)
        raise HelloError("a ClientHello with a bad name")
    return host


def _protocols(extension: bytes) -> tuple[bytes, ...]:
    outer = _Reader(extension)
    names = _Reader(outer.read_vector(2, 2))
    found = []
    while not names.ended():
        found.append(names.read_vector(1, 1))
    if not outer.ended():
        raise HelloError("a ClientHello with something behind its protocols")
    return tuple(found)

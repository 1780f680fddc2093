"""Queries to name servers: one question about a name (RFC 1035), by UDP, and by TCP where the answer is too long."""

import asyncio
import socket
from collections import deque

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdtypes.ANY.CNAME
import dns.rdtypes.ANY.SOA
import dns.rdtypes.IN.A
import dns.rdtypes.IN.AAAA  # all of them now: dnspython would read them from the disk with the first answer

from lbd.discovery.dns_records import DnsRecords, Unanswered
from lbd.discovery.name_files import NameSources, SocketAddress
from lbd.net.tasks import Tasks

EDNS_PAYLOAD = 1232     # bytes of an answer by UDP that no usual network breaks up (dnsflagday.net/2020)


class Queries:
    """Questions under way. Servers are asked in turn: the next one when one failed, or as well when there is no answer
    yet after a pause; the first good answer counts."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._turn = 0

    async def query(self, name: str, kind: str, known: NameSources) -> DnsRecords:
        """The records of this kind, "A" or "AAAA"; raises `Unanswered`. Without end while servers are silent."""
        request = dns.message.make_query(dns.name.from_text(name), kind, use_edns=0 if known.edns else -1,
                                         payload=EDNS_PAYLOAD)
        servers = known.servers
        if known.rotate:
            self._turn += 1
            start = self._turn % len(servers)
            servers = servers[start:] + servers[:start]
        left = deque(servers * known.attempts)
        reason = "no answer"
        pending: set[asyncio.Task[DnsRecords | str]] = set()
        try:
            while left or pending:
                pause = None
                if left:
                    server, pause = left.popleft(), known.pause
                    pending.add(self._tasks.start(f"ask {server[0]} for {name}", _try(request, server, known.tcp)))
                done, pending = await asyncio.wait(pending, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                for said in (task.result() for task in done):
                    if isinstance(said, DnsRecords):
                        return said
                    reason = said
        finally:
            for task in pending:
                task.cancel()
        raise Unanswered(reason)


async def _try(request: dns.message.Message, server: SocketAddress, tcp: bool) -> DnsRecords | str:
    """Ask one server; returns its records, or why it gave none of use."""
    try:
        reply = None if tcp else await _by_udp(request, server)
        if reply is None or reply.flags & dns.flags.TC:
            reply = await _by_tcp(request, server)
        return _records(reply, server[0])
    except (OSError, EOFError, ValueError, dns.exception.DNSException) as error:
        text = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
        return f"{server[0]}: {text.lower()}"


async def _by_udp(request: dns.message.Message, server: SocketAddress) -> dns.message.Message:
    loop = asyncio.get_running_loop()
    with _socket(server, socket.SOCK_DGRAM) as sock:
        sock.connect(server)        # only says whose datagrams are taken, and that a refusal is heard of
        await loop.sock_sendall(sock, request.to_wire())
        while True:
            reply = _parse_reply(await loop.sock_recv(sock, 65535), request)
            if reply is not None:
                return reply


async def _by_tcp(request: dns.message.Message, server: SocketAddress) -> dns.message.Message:
    loop = asyncio.get_running_loop()
    with _socket(server, socket.SOCK_STREAM) as sock:
        sock.connect_ex(server)     # under way; sending waits for it, and fails if it does
        wire = request.to_wire()
        await loop.sock_sendall(sock, len(wire).to_bytes(2, "big") + wire)
        length = int.from_bytes(await _exactly(sock, 2), "big")
        reply = _parse_reply(await _exactly(sock, length), request)
        if reply is None:
            raise ValueError("an answer that cannot be read")
        return reply


async def _exactly(sock: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        part = await asyncio.get_running_loop().sock_recv(sock, length - len(found))
        if not part:
            raise EOFError("connection closed")
        found += part
    return found


def _socket(server: SocketAddress, kind: int) -> socket.socket:
    family = socket.AF_INET if len(server) == 2 else socket.AF_INET6
    return socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)


def _parse_reply(wire: bytes, request: dns.message.Message) -> dns.message.Message | None:
    """The answer to the request; None for anything else, from any sender."""
    try:
        reply = dns.message.from_wire(wire, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError):
        return None
    return reply if request.is_response(reply) else None


def _records(reply: dns.message.Message, server: str) -> DnsRecords | str:
    if not isinstance(reply, dns.message.QueryMessage) or reply.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return f"{server}: {dns.rcode.to_text(reply.rcode())}"
    if reply.rcode() == dns.rcode.NXDOMAIN:
        return DnsRecords(exists=False)
    chain = reply.resolve_chaining()        # over CNAMEs, at most 16 of them
    if chain.answer is None:
        return DnsRecords()
    return DnsRecords(tuple(record.to_text() for record in chain.answer), float(chain.minimum_ttl))

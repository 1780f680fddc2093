"""A DNS server for tests, by UDP and TCP: in a thread of the test, or a process of its own that follows a file."""

import contextlib
import json
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

# By name: lists of addresses under "A" and "AAAA", a name under "CNAME", seconds under "ttl" (30), and what is odd
# about it: "silent" (true, or the type that gets no answer), "rcode", "truncated" (by UDP it says only that it is too
# long).
Zone = Mapping[str, Mapping[str, Any]]


def answer(wire: bytes, zone: Zone, udp: bool) -> bytes | None:
    """The answer of the server to a query; None: none."""
    query = dns.message.from_wire(wire)
    reply = dns.message.make_response(query)
    question = query.question[0]
    kind = "AAAA" if question.rdtype == 28 else "A"
    name = question.name.to_text().rstrip(".").lower()
    if name not in zone:
        reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire()
    while True:
        facts = zone.get(name, {})
        if facts.get("silent") in (True, kind):
            return None
        ttl = facts.get("ttl", 30)
        if "CNAME" not in facts:
            break
        reply.answer.append(dns.rrset.from_text(f"{name}.", ttl, "IN", "CNAME", facts["CNAME"] + "."))
        name = facts["CNAME"]
    if addresses := facts.get(kind):
        reply.answer.append(dns.rrset.from_text(f"{name}.", ttl, "IN", kind, *addresses))
    if "rcode" in facts:
        reply.set_rcode(dns.rcode.from_text(facts["rcode"]))
    if udp and facts.get("truncated"):
        reply.answer.clear()
        reply.flags |= dns.flags.TC
    return reply.to_wire()


class NameServer:
    """Serves the zone that `zone()` gives on both kinds of socket; `asked` are the names of all queries, by UDP and TCP
    alike."""

    def __init__(self, zone: Callable[[], Zone], host: str = "127.0.0.1", port: int = 0) -> None:
        self.zone = zone
        self.asked: list[str] = []
        self._listening = socket.create_server((host, port))
        self.port = self._listening.getsockname()[1]
        self._datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._datagrams.bind((host, self.port))
        self._threads = [threading.Thread(target=serve, daemon=True) for serve in (self._udp, self._tcp)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop, and free the port."""
        for sock in (self._datagrams, self._listening):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)     # wakes the thread
        for thread in self._threads:
            thread.join()
        self._datagrams.close()
        self._listening.close()

    def _said(self, wire: bytes, udp: bool) -> bytes | None:
        self.asked.append(dns.message.from_wire(wire).question[0].name.to_text().rstrip("."))
        return answer(wire, self.zone(), udp)

    def _udp(self) -> None:
        while True:
            try:
                wire, client = self._datagrams.recvfrom(4096)
            except OSError:
                return
            if not wire:
                return
            if (said := self._said(wire, True)) is not None:
                self._datagrams.sendto(said, client)

    def _tcp(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            with client, client.makefile("rwb") as stream:
                if (said := self._said(stream.read(int.from_bytes(stream.read(2), "big")), False)) is not None:
                    stream.write(len(said).to_bytes(2, "big") + said)


def main() -> None:
    """Arguments: a file with the zone as JSON, read for each query, and the address on whose port 53 to serve."""
    file, host = Path(sys.argv[1]), sys.argv[2]
    NameServer(lambda: json.loads(file.read_text()), host, 53)
    print("ready", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()

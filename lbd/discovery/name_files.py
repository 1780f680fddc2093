"""The files that configure look-ups: /etc/resolv.conf (resolv.conf(5)) and /etc/hosts (hosts(5))."""

import asyncio
import contextlib
import ipaddress
import os
import re
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

RESOLV = "/etc/resolv.conf"
HOSTS = "/etc/hosts"

FRESH = 1.0             # seconds until the files are looked at again
PATIENCE = 1.0          # seconds that a look-up waits for the files; then it uses their former content
MOST_SERVERS = 3        # MAXNS of resolv.h
LONGEST = 16 << 20      # bytes that are read of a file

SocketAddress = tuple[str, int] | tuple[str, int, int, int]      # of a socket, IPv4 or IPv6


_SUFFIX = re.compile(r"[a-zA-Z0-9_-]{1,63}(?:\.[a-zA-Z0-9_-]{1,63})*")


@dataclass(frozen=True, slots=True)
class NameSources:
    """The settings of look-ups: servers, forms of names, and patience.

    `pause` are the seconds after which another server is asked too, `attempts` the rounds over all servers; with
    `rotate` each look-up begins with another of them. `tcp`: never by UDP; `edns`: answers by UDP may be longer than
    512 bytes; `families`: the types of records that are asked for. `hosts` maps names in lower case to addresses.
    """

    servers: tuple[SocketAddress, ...] = (("127.0.0.1", 53),)
    search: tuple[str, ...] = ()
    ndots: int = 1
    pause: float = 1.0
    attempts: int = 2
    rotate: bool = False
    tcp: bool = False
    edns: bool = False
    families: tuple[str, ...] = ("A", "AAAA")
    hosts: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)


def parse_sources(resolv: str, hosts: str, hostname: str = "", port: int = 53) -> NameSources:
    """The sources that the texts of the two files give. The domain of `hostname` is searched where nothing else is
    named. Lines that cannot be read are left out, as the C library does."""
    servers: list[SocketAddress] = []
    search: tuple[str, ...] = tuple(filter(None, [hostname.partition(".")[2]]))
    options: dict[str, str] = {}
    for line in resolv.splitlines():
        word, *rest = line.partition("#")[0].partition(";")[0].split() or [""]
        if word == "nameserver" and rest and (server := _endpoint(rest[0], port)) is not None:
            servers.append(server)
        elif word in ("search", "domain"):      # the last of them counts
            search = tuple(rest[:1] if word == "domain" else rest)
        elif word == "options":
            options.update((name, value) for name, _, value in (option.partition(":") for option in rest))
    return NameSources(
        servers=tuple(servers[:MOST_SERVERS]) or (("127.0.0.1", port),),
        search=tuple(suffix.lower().strip(".") for suffix in search if _SUFFIX.fullmatch(suffix.strip("."))),
        ndots=_number(options, "ndots", 1, 0, 15),
        pause=float(_number(options, "timeout", 1, 1, 30)),
        attempts=_number(options, "attempts", 2, 1, 5),
        rotate="rotate" in options,
        tcp="use-vc" in options,
        edns="edns0" in options,
        families=("A",) if "no-aaaa" in options else ("A", "AAAA"),
        hosts=parse_hosts(hosts.splitlines()),
    )


def parse_hosts(lines: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The addresses of each name in lines of a hosts file, in the file's order."""
    found: dict[str, dict[str, None]] = {}
    for line in lines:
        address, *names = line.partition("#")[0].split() or [""]
        if names and _numeric(address):
            for name in names:
                found.setdefault(name.lower().rstrip("."), {})[address] = None
    return {name: tuple(addresses) for name, addresses in found.items()}


class NameFiles:
    """The two files as they are now. A thread reads them, never the loop, and nothing waits for its end: a disk that
    hangs holds up neither a look-up nor the process."""

    def __init__(self, resolv: str = RESOLV, hosts: str = HOSTS, port: int = 53) -> None:
        self._paths = resolv, hosts
        self._port = port
        self._known = NameSources()
        self._stamp: object = None
        self._looked = -FRESH
        self._reading: asyncio.Event | None = None

    async def read(self) -> NameSources:
        """The sources in the files, at most a second old; the last known ones if they cannot be read in time."""
        loop = asyncio.get_running_loop()
        if self._reading is None and loop.time() >= self._looked + FRESH:
            self._reading = asyncio.Event()
            self._looked = loop.time()
            thread = threading.Thread(target=self._read_files, args=(loop, self._stamp), name="resolv.conf",
                                      daemon=True)
            try:
                thread.start()
            except RuntimeError:    # there is no room for a thread
                self._reading = None
        if self._reading is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(self._looked + PATIENCE):
                    await self._reading.wait()
        return self._known

    def _read_files(self, loop: asyncio.AbstractEventLoop, stamp: object) -> None:
        """Read the files if they changed; runs in the thread."""
        now = tuple(map(_stamp, self._paths))
        read = None
        if now != stamp:
            resolv, hosts = map(_text, self._paths)
            read = parse_sources(resolv, hosts, socket.gethostname(), self._port)
        with contextlib.suppress(RuntimeError):     # the loop is closed: no look-up needs it any more
            loop.call_soon_threadsafe(self._done, now, read)

    def _done(self, stamp: object, read: NameSources | None) -> None:
        self._stamp = stamp
        self._known = read if read is not None else self._known
        if self._reading is not None:
            self._reading.set()
            self._reading = None


def _stamp(path: str) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _text(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(LONGEST).decode("utf-8", "replace")
    except OSError:
        return ""       # as an empty one


def _endpoint(text: str, port: int) -> SocketAddress | None:
    """The socket address of a name server; None for a text that is no address. Never looks anything up."""
    host, _, scope = text.partition("%")
    if not _numeric(host):
        return None
    if ":" not in host:
        return host, port
    try:
        return host, port, 0, int(scope) if not scope or scope.isdecimal() else socket.if_nametoindex(scope)
    except (OSError, ValueError):
        return (host, port, 0, 0) if not scope else None


def _numeric(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _number(options: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    value = options.get(name, "")
    return min(max(int(value), least), most) if value.isascii() and value.isdecimal() else default


def search_names(name: str, known: NameSources) -> Iterator[str]:
    """The names to ask for in place of `name`, in turn: itself first where it has enough dots."""
    as_it_is = name.count(".") >= known.ndots
    if as_it_is:
        yield name
    yield from (f"{name}.{suffix}" for suffix in known.search)
    if not as_it_is:
        yield name

"""Addresses and networks: to listen on, to connect to, and of peers."""

import ipaddress
import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from lbd.schema.kinds import ValueKind, many, text_of
from lbd.schema.packed import packed

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Proxy = Network | str   # a network, or `UNIX`

UNIX = "unix"       # every peer that connects by a Unix socket

LONGEST_PATH = 107  # bytes of a Unix socket's path or @NAME that fit into sockaddr_un, NUL apart (unix(7))
LONGEST_NAME = 253  # characters of a host name (RFC 1035, 2.3.4)

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
OF_REQUEST = "{host}"      # a name that each request says
_PORT = re.compile(r"[0-9]{1,5}")


@packed
@dataclass(frozen=True, slots=True)
class Address:
    """An address to listen at or to connect to: `host` and `port`, or the `path` of a Unix socket (then `host` is
    empty): a file, or `@NAME` without one (unix(7), abstract). `tls`: a server's, written https://HOST:PORT."""

    host: str = ""
    port: int = 0
    path: str = ""
    tls: bool = False

    def __str__(self) -> str:
        return f"https://{self.without_scheme}" if self.tls else self.without_scheme

    @property
    def without_scheme(self) -> str:
        """Host and port, or the path, without a scheme."""
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def abstract(self) -> bool:
        """Whether it is a Unix socket with a name in place of a file: open to every user, gone with its last fd."""
        return self.path.startswith("@")

    @property
    def sun_path(self) -> str:
        """A Unix socket's name for bind(2) and connect(2): its path, or NUL and the abstract name (unix(7))."""
        return f"\0{self.path[1:]}" if self.abstract else self.path

    @property
    def literal(self) -> bool:
        """Whether no name has to be resolved: a Unix socket or an IP address."""
        return bool(self.path) or _numeric(self.host)

    @property
    def wildcard(self) -> bool:
        """Whether it stands for every address of the machine (of one family)."""
        return self.host in ("0.0.0.0", "::")


@lru_cache(maxsize=2**15)
def _numeric(host: str) -> bool:
    """Whether it is an IP address; cached, since parsing is slow and every server is asked many times per reload."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def host_of(text: str) -> str:
    """An IP address in its shortest form or a host name in lower case; raises ValueError."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    if ":" in text:
        raise ValueError("is not an IPv6 address")
    name = text.lower().removesuffix(".")
    if not name.isascii():
        raise ValueError('is not ASCII; write international names in their "xn--" form')
    if not name or len(name) > LONGEST_NAME or not all(map(_LABEL.fullmatch, name.split("."))):
        raise ValueError("is not a host name")
    if name.rpartition(".")[2].isdigit():
        raise ValueError("is not an IPv4 address")
    return name


def name_of_host(text: str) -> str:
    """A host name in lower case; "" where the text is none, or an IP address."""
    try:
        name = host_of(text)
    except ValueError:
        return ""
    return "" if ":" in name or name.rpartition(".")[2].isdigit() else name


def _server_name(text: str) -> str:
    if text != OF_REQUEST and ("{" in text or "}" in text):
        raise ValueError(f'has braces around something else than "{OF_REQUEST}"')
    return text if text == OF_REQUEST else host_of(text)


def address_of(value: Any) -> Address:
    """`HOST:PORT`, `[IPv6]:PORT` or `unix:PATH`; raises ValueError."""
    text = text_of(value)
    if text.startswith("unix:"):
        return _socket(text[5:])
    if text.startswith("/"):
        raise ValueError(f'is a path; write "unix:{text}" for a Unix socket')
    if "://" in text:
        raise ValueError("is a URL; leave out the scheme and the path")
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if text.isascii() and text.isdecimal():
        raise ValueError("is a port without a host")
    if not colon or text.endswith("]"):
        raise ValueError("has no port")
    if ":" in host and not bracketed:
        raise ValueError("has several colons; put an IPv6 address into brackets")
    if not _PORT.fullmatch(port) or not 1 <= int(port) <= 65535:
        raise ValueError("has a port that is not 1 to 65535")
    if not host:
        raise ValueError("has no host")
    if bracketed and ":" not in host:
        raise ValueError("has brackets around something that is not an IPv6 address")
    return Address(host_of(host[1:-1] if bracketed else host), int(port))


def _socket(path: str) -> Address:
    if not path.startswith(("/", "@")) or path == "@":
        raise ValueError('has a path that is not absolute, nor "@" and a name')
    if len(path.encode("utf-8", "surrogateescape")) > LONGEST_PATH:
        what = "a name" if path.startswith("@") else "a path"
        raise ValueError(f"has {what} of more than {LONGEST_PATH} bytes")
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in path):
        raise ValueError("has a control character in it")
    return Address(path=path)


def _bind(value: Any) -> Address:
    """`*` is every IPv4 address, as in HAProxy and nginx."""
    if isinstance(value, str) and value.startswith("*:"):
        value = "0.0.0.0" + value[1:]
    address = address_of(value)
    if not address.literal:
        raise ValueError("has a host name where an IP address is needed")
    return address


def _server(value: Any) -> Address:
    secure = isinstance(value, str) and value.startswith("https://")
    address = address_of(_authority(value[8:]) if secure else value)
    if secure and address.path:
        raise ValueError("is a Unix socket with a scheme; leave out https:// and give the backend a tls table")
    if address.wildcard:
        raise ValueError("is every address of this machine, not that of a server")
    return replace(address, tls=True) if secure else address


def _authority(text: str) -> str:
    """HOST:PORT of a URL without its scheme; the port may be left out."""
    text = text.removesuffix("/")
    if "/" in text:
        raise ValueError("is a URL with a path; write https://HOST:PORT")
    return text if _PORT.fullmatch(text.rpartition(":")[2]) else f"{text}:443"


def network_of(value: Any) -> Network:
    """A network in CIDR notation, or one address; raises ValueError."""
    text = text_of(value)
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        pass
    try:
        meant = ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise ValueError("is not a network") from None
    raise ValueError(f'has bits beyond its prefix; the network is "{meant}"')


_ANY = {"type": "string", "minLength": 1}

BIND = ValueKind("bind", 'IP:PORT ("*" for every IPv4 address), [IPv6]:PORT, unix:/PATH or unix:@NAME', _bind, _ANY,
                 empty=Address())
ADMIN = ValueKind("bind", 'IP:PORT ("*" for every IPv4 address), [IPv6]:PORT, unix:/PATH, or "off"',
                  lambda value: Address() if value == "off" else _bind(value), _ANY,
                  empty=Address(), write=lambda address: str(address) if address != Address() else "off")
BINDS = many(BIND, BIND.allowed + ", or an array of these")
ADDRESS = ValueKind("address", "HOST:PORT, [IPv6]:PORT, unix:/PATH, unix:@NAME or https://HOST:PORT", _server, _ANY,
                    empty=Address())
HOST = ValueKind("host", "an IP address or a host name", lambda value: host_of(text_of(value)), _ANY)
SERVER_NAME = ValueKind("name", 'an IP address, a host name or "{host}"', lambda value: _server_name(text_of(value)),
                        _ANY)
NETWORK = ValueKind("network", 'a network like "10.0.0.0/8" or an IP address', network_of, _ANY)
NETWORKS = many(NETWORK, 'networks like "10.0.0.0/8" or IP addresses')
PROXIES = many(ValueKind("proxy", NETWORK.allowed + ', or "unix"',
                         lambda value: UNIX if value == UNIX else network_of(value), _ANY),
               'networks like "10.0.0.0/8", IP addresses, or "unix"')

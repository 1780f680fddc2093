"""Tests of lbd.schema.addresses: what can be bound, connected to, and matched as a network."""

from ipaddress import ip_network

import pytest

from lbd.schema.addresses import ADDRESS, BIND, BINDS, HOST, LONGEST_PATH, NETWORKS, Address
from lbd.schema.kinds import ValueKind


@pytest.mark.parametrize(("text", "address"), [
    ("10.0.0.1:80", Address("10.0.0.1", 80)), ("[::1]:8080", Address("::1", 8080)),
    ("[2001:DB8:0::1]:80", Address("2001:db8::1", 80)), ("[fe80::1%eth0]:80", Address("fe80::1%eth0", 80)),
    ("unix:/run/a.sock", Address(path="/run/a.sock")), ("unix:@lbd", Address(path="@lbd")),
    ("*:80", Address("0.0.0.0", 80)), ("[::]:80", Address("::", 80)),
])
def test_bind(text: str, address: Address) -> None:
    assert BIND.parse(text) == address
    assert address.literal


@pytest.mark.parametrize(("text", "address"), [
    ("api2.internal:9000", Address("api2.internal", 9000)), ("API.example.COM.:80", Address("api.example.com", 80)),
    ("localhost:1", Address("localhost", 1)), ("my_host-1:65535", Address("my_host-1", 65535)),
])
def test_server(text: str, address: Address) -> None:
    assert ADDRESS.parse(text) == address
    assert not address.literal


@pytest.mark.parametrize(("kind", "text", "why"), [
    (BIND, "localhost:80", "has a host name where an IP address is needed"), (BIND, "80", "is a port without a host"),
    (BIND, ":80", "has no host"), (BIND, "10.0.0.1", "has no port"), (BIND, "[::1]", "has no port"),
    (BIND, "::1:80", "has several colons"), (BIND, "10.0.0.1:0", "has a port that is not 1 to 65535"),
    (BIND, "10.0.0.1:65536", "has a port"), (BIND, "10.0.0.1:http", "has a port"), (BIND, "10.0.0.1:٣", "has a port"),
    (BIND, "[10.0.0.1]:80", "has brackets around"), (BIND, "[::g]:80", "is not an IPv6 address"),
    (BIND, "/run/a.sock", 'is a path; write "unix:/run/a.sock"'),
    (BIND, "unix:a.sock", 'has a path that is not absolute, nor "@" and a name'),
    (BIND, "unix:@", "has a path that is"), (ADDRESS, "unix:@", "has a path that is"),
    (ADDRESS, "unix:@" + "a" * LONGEST_PATH, "has a name of more than 107 bytes"),
    (ADDRESS, "unix:@a\0b", "contains a NUL"), (ADDRESS, "unix:@a\nb", "has a control"),
    (ADDRESS, "unix:@" + "ü" * 54, "has a name of more than 107 bytes"),
    (ADDRESS, "https://unix:@a", "is a Unix socket with a scheme"),
    (BIND, "unix:/" + "a" * LONGEST_PATH, "has a path of more than 107 bytes"), (BIND, "unix:/a\nb", "has a control"),
    (BIND, "", "has no port"), (BIND, 80, "is an integer"),
    (ADDRESS, "http://a:80", "is a URL"), (ADDRESS, "10.0.0.256:80", "is not an IPv4 address"),
    (ADDRESS, "10.0.0:80", "is not an IPv4 address"), (ADDRESS, "a..b:80", "is not a host name"),
    (ADDRESS, "-a:80", "is not a host name"), (ADDRESS, "a b:80", "is not a host name"),
    (ADDRESS, "bücher.example:80", "is not ASCII"), (ADDRESS, "a" * 64 + ":80", "is not a host name"),
    (ADDRESS, "*:80", "is not a host name"), (ADDRESS, "0.0.0.0:80", "is every address of this machine"),
    (ADDRESS, "[::]:80", "is every address of this machine"),
    (HOST, "a:80", "is not an IPv6 address"),
])
def test_refused(kind: ValueKind, text: object, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}"):
        kind.parse(text)


def test_one_or_several() -> None:
    assert BINDS.parse("*:80") == (Address("0.0.0.0", 80),)
    assert BINDS.parse(["*:80", "[::]:80"]) == (Address("0.0.0.0", 80), Address("::", 80))
    with pytest.raises(ValueError, match='which has no port'):
        BINDS.parse(["*:80", "x"])


def test_an_abstract_name_is_what_connect_takes() -> None:
    name = "a" * (LONGEST_PATH - 1)
    address = ADDRESS.parse(f"unix:@{name}")
    assert (address.abstract, address.sun_path, str(address)) == (True, f"\0{name}", f"unix:@{name}")
    address = ADDRESS.parse("unix:/run/@a")
    assert (address.abstract, address.sun_path) == (False, "/run/@a")
    assert Address("10.0.0.1", 80).sun_path == ""


@pytest.mark.parametrize("address", [Address("10.0.0.1", 80), Address("::1", 80), Address(path="/a"),
                                     Address(path="@a"), Address("a.b", 1)])
def test_as_text(address: Address) -> None:
    assert ADDRESS.parse(str(address)) == address


def test_networks() -> None:
    assert NETWORKS.parse("10.0.0.0/8") == (ip_network("10.0.0.0/8"),)
    assert NETWORKS.parse(["10.0.0.1", "2001:db8::/32"]) == (ip_network("10.0.0.1/32"), ip_network("2001:db8::/32"))
    with pytest.raises(ValueError, match=r'which has bits beyond its prefix; the network is "10\.0\.0\.0/8"'):
        NETWORKS.parse(["10.1.0.0/8"])
    with pytest.raises(ValueError, match="is not a network"):
        NETWORKS.parse("example.com")


@pytest.mark.parametrize(("text", "host", "port"), [
    ("https://app.internal:8443", "app.internal", 8443), ("https://app.internal", "app.internal", 443),
    ("https://10.0.0.1/", "10.0.0.1", 443), ("https://[::1]:8443", "::1", 8443), ("https://[::1]", "::1", 443),
])
def test_servers_with_tls(text: str, host: str, port: int) -> None:
    address = ADDRESS.parse(text)
    assert (address.host, address.port, address.tls) == (host, port, True)
    assert ADDRESS.parse(str(address)) == address


@pytest.mark.parametrize("text", ["https://", "https://a/b", "https://unix:/x", "http://a:80", "https://a:b@c:1"])
def test_urls_that_are_no_servers(text: str) -> None:
    with pytest.raises(ValueError, match=r"is|has"):
        ADDRESS.parse(text)


def test_listeners_are_no_urls() -> None:
    with pytest.raises(ValueError, match="URL"):
        BIND.parse("https://10.0.0.1:443")

"""Tests of lbd.config.rules: rules between keys."""

import pytest

from lbd.config.effective import tables
from lbd.config.rules import overlap
from lbd.schema.units import BIND, Address
from tests.config.conftest import WHOLE, Directory


def test_a_whole_configuration_has_no_findings(directory: Directory) -> None:
    assert directory.warnings(WHOLE) == []


def test_nothing_at_all(directory: Directory) -> None:
    assert directory.errors("") == ["lbd.toml: there is no listener; add [listeners.NAME] with bind and backend"]


def test_what_is_no_table_is_not_called_missing_too(directory: Directory) -> None:
    assert directory.errors("listeners = 5\n") == ["lbd.toml:1:1: listeners: 5 is an integer; must be a table"]


def test_a_listener_without_purpose_or_address(directory: Directory) -> None:
    assert directory.errors("[listeners.b]\nbind = '*:81'\n[listeners.c]\nbind = []\nbackend = 'app'\n" + WHOLE) == [
        "lbd.toml:1:12: listeners.b: a listener needs a backend or routes",
        "lbd.toml:4:1: listeners.c.bind: an empty array: a listener needs an address",
    ]


def test_a_wrong_address_is_not_called_missing_too(directory: Directory) -> None:
    error, = directory.errors("[listeners.b]\nbind = ['*:81', '10.0.0.1']\nbackend = 'app'\n" + WHOLE)
    assert error.startswith('lbd.toml:2:17: listeners.b.bind[1]: the array holds "10.0.0.1", which has no port')


def test_two_sockets_on_one_address(directory: Directory) -> None:
    directory.write("token", "secret")
    text = ("[admin]\nbind = '127.0.0.1:8405'\ntoken_file = 'token'\n[metrics]\nbind = '127.0.0.1:8405'\n"
            "[listeners.b]\nbind = ['*:8080', '[::]:8080', 'unix:/a']\nbackend = 'app'\n"
            "[listeners.c]\nbind = 'unix:/a'\nbackend = 'app'\n")
    assert directory.errors(text + WHOLE) == [
        'lbd.toml:5:1: metrics.bind: "127.0.0.1:8405" is bound already by admin.bind (lbd.toml:2:1)',
        'lbd.toml:10:1: listeners.c.bind: "unix:/a" is bound already by listeners.b.bind[2] (lbd.toml:7:32)',
        'lbd.toml:13:1: listeners.web.bind: "127.0.0.1:8080" overlaps with "0.0.0.0:8080" by listeners.b.bind[0] '
        "(lbd.toml:7:9)",
    ]


def test_a_mode_needs_a_unix_socket_with_a_file(directory: Directory) -> None:
    text = "[listeners.b]\nbind = ['*:81', 'unix:@b']\nunix_mode = '0660'\nbackend = 'app'\n"
    assert directory.warnings(text + WHOLE) == [
        "lbd.toml:3:1: listeners.b.unix_mode: has no effect: bind has no unix:/PATH"]
    assert directory.warnings(text.replace("unix:@b", "unix:/b") + WHOLE) == []


@pytest.mark.parametrize(("trust", "more"), [("'unix'", ""), ("'10.0.0.1'", "proxy_protocol = true\n")])
def test_who_is_believed_by_a_unix_socket_without_a_mode(directory: Directory, trust: str, more: str) -> None:
    text = (f"[global]\ntrusted_proxies = [{trust}]\n[listeners.b]\nbind = ['10.0.0.9:81', 'unix:@b']\n{more}"
            "backend = 'app'\n")
    assert directory.warnings(text + WHOLE) == [
        'lbd.toml:4:1: listeners.b.bind: every local user can connect to "unix:@b" and is believed who the client is; '
        "only unix:/PATH has a mode (unix_mode)"]
    assert directory.warnings(text.replace("unix:@b", "unix:/b") + WHOLE) == []
    assert directory.warnings(text.replace(trust, "'10.0.0.2'").replace(more or "-", "") + WHOLE) == []


def test_a_port_to_check_needs_checks(directory: Directory) -> None:
    text = WHOLE + """
[backends.b]
health = { type = "tcp" }
[backends.b.servers]
a = { address = "unix:/a", check_port = 81 }
b = { address = "10.0.0.9:80", check_port = 81, check = false }
c = { address = "10.0.0.8:80", check_port = 81 }
d = { address = "10.0.0.7:80", check = false }
[[listeners.web.routes]]
backend = "b"
"""
    assert [warning.partition(": ")[2] for warning in directory.warnings(text)] == [
        "backends.b.servers.a.check_port: has no effect: a Unix socket has no port",
        "backends.b.servers.b.check_port: has no effect: check = false"]
    assert "has no health checks; add health" in directory.warnings(text.replace("health =", "# health ="))[0]


def test_cookies_need_a_key_where_no_state_is_kept(directory: Directory) -> None:
    text = WHOLE + "[backends.app.sticky]\n"
    assert directory.errors("[global]\nstate_dir = 'off'\n" + text) == [
        'lbd.toml:2:1: global.state_dir: backend "app" is sticky and no directory keeps the key of its cookies; set '
        "sticky_secret in [global]"]
    assert directory.errors("[global]\nstate_dir = 'off'\nsticky_secret = 'a phrase'\n" + text) == []
    assert directory.read("[global]\nstate_dir = 'off'\n" + WHOLE).config.global_.state_dir == "off"


def test_the_admin_interface_may_be_off(directory: Directory) -> None:
    config = directory.read("[admin]\nbind = 'off'\n" + WHOLE).config
    assert config.admin.bind == Address()
    assert tables(config)["admin"] == {"bind": "off"}
    assert directory.warnings("[admin]\nbind = 'off'\n" + WHOLE) == []


@pytest.mark.parametrize(("one", "other", "both"), [
    ("10.0.0.1:80", "10.0.0.1:80", True), ("10.0.0.1:80", "10.0.0.1:81", False), ("10.0.0.1:80", "10.0.0.2:80", False),
    ("*:80", "10.0.0.1:80", True), ("10.0.0.1:80", "0.0.0.0:80", True), ("*:80", "[::]:80", False),
    ("[::]:80", "[::1]:80", True), ("[::0:1]:80", "[::1]:80", True), ("unix:/a", "unix:/a", True),
    ("unix:/a", "unix:/b", False), ("unix:/a", "*:80", False),
])
def test_overlap(one: str, other: str, both: bool) -> None:
    assert overlap(BIND.parse(one), BIND.parse(other)) is both


def test_backends(directory: Directory) -> None:
    text = ("[backends.b]\n[backends.c.servers]\n[backends.d]\n"
            "servers = { a = { address = '10.0.0.9:80', weight = 0 } }\n")
    needs = 'a backend needs servers: [backends.NAME.servers] with NAME = "HOST:PORT"'
    routes = "".join(f"[[listeners.web.routes]]\npath = '/{name}'\nbackend = '{name}'\n" for name in "bcd")
    assert directory.errors(text + WHOLE + routes) == [
        f"lbd.toml:1:11: backends.b: {needs}",
        f"lbd.toml:2:11: backends.c: {needs}",
        "lbd.toml:4:1: backends.d.servers: all weights are 0: no server could be chosen",
    ]


def test_a_backend_that_nobody_uses(directory: Directory) -> None:
    assert directory.warnings("[backends.b.servers]\na = '10.0.0.9:80'\n" + WHOLE) == [
        "lbd.toml:1:11: backends.b: no listener and no route uses this backend"]


def test_two_servers_at_one_address(directory: Directory) -> None:
    assert directory.warnings(WHOLE + "b = '10.0.0.1:80'\n") == [
        'lbd.toml:6:1: backends.app.servers.b: "a" has the address "10.0.0.1:80" too']


def test_a_tcp_port_needs_a_token(directory: Directory) -> None:
    assert directory.errors("[admin]\nbind = '127.0.0.1:8405'\n" + WHOLE) == [
        'lbd.toml:2:1: admin.bind: "127.0.0.1:8405" needs token_file, since anyone could connect; or use a Unix socket']
    path = directory.path / "token"
    assert directory.errors("[admin]\nbind = '127.0.0.1:8405'\ntoken_file = 'token'\n" + WHOLE) == [
        f'lbd.toml:3:1: admin.token_file: "{path}" cannot be read: No such file or directory']
    directory.write("token", "secret")
    assert directory.errors() == []


def test_an_admin_socket_without_permissions(directory: Directory) -> None:
    error, = directory.errors("[admin]\nbind = 'unix:@lbd'\n" + WHOLE)
    assert error.startswith('lbd.toml:2:1: admin.bind: "unix:@lbd" has no file whose permissions could keep others out')


@pytest.mark.parametrize(("settings", "message"), [
    ("group = 'x'", '3:1: admin.group: mode "0600" keeps every group out; add mode = "0660"'),
    ("mode = '0640'\ngroup = 'x'", ""), ("mode = '0660'\ngroup = 'x'", ""),
    ("mode = '0070'", '3:1: admin.mode: "0070" keeps the owner out; must be the mode of a file in octal digits, like '
                      '"0600" or "0660"'),
    ("tls = { cert = 'a.pem' }", "3:1: admin.tls: is for a TCP address; a Unix socket needs none")])
def test_the_admin_socket(directory: Directory, settings: str, message: str) -> None:
    directory.write("a.pem", "x")
    text = f"[admin]\nbind = 'unix:/run/x.sock'\n{settings}\n" + WHOLE
    if message:
        assert directory.errors(text) == [f"lbd.toml:{message}"]
    else:
        assert directory.read(text).config.admin.group == "x"


def test_files_of_admin_tls_can_be_read(directory: Directory) -> None:
    directory.write("token", "secret")
    directory.write("a.pem", "x")
    text = ("[admin]\nbind = '127.0.0.1:8405'\ntoken_file = 'token'\n"
            "tls = { cert = 'a.pem', key = 'b.pem', client_ca = 'c.pem' }\n")
    found = directory.errors(text + WHOLE)
    assert [line.partition(': "')[0] for line in found] == [
        "lbd.toml:4:25: admin.tls.key", "lbd.toml:4:40: admin.tls.client_ca"]
    assert directory.errors("[admin]\ntls = {}\n" + WHOLE)[0].startswith("lbd.toml:2:1: admin.tls")


def test_the_longest_ejection_is_not_the_shortest(directory: Directory) -> None:
    assert directory.errors("[backends.app]\noutlier = { base = '10s', max = '5s' }\n" + WHOLE) == [
        "lbd.toml:2:27: backends.app.outlier.max: is shorter than `base`, the first ejection"]


def test_a_proxy_header_that_nobody_may_send(directory: Directory) -> None:
    listener = ('listeners.web = { bind = "%s", backend = "app", proxy_protocol = true }\n'
                'backends.app.servers.a = "a:1"\n')
    error, = directory.errors(listener % "127.0.0.1:80")
    assert "name the proxies in `trusted_proxies`" in error
    assert not directory.errors(listener % "unix:/run/web.sock")
    assert not directory.errors('global.trusted_proxies = ["10.0.0.0/8"]\n' + listener % "127.0.0.1:80")


def test_keys_of_tls_that_need_others(directory: Directory) -> None:
    tls = '[listeners.web.tls]\ncertificates = "a"\n'
    assert directory.errors(WHOLE + tls + "partial_chain = true\n") == [
        "lbd.toml:8:1: listeners.web.tls.partial_chain: without client_ca no certificate is asked for; "
        "add client_ca, or leave it out"]
    assert directory.errors(WHOLE + tls + 'alpn = "h2"\n') == [
        'lbd.toml:8:1: listeners.web.tls.alpn: an http listener speaks "http/1.1" alone; leave it out, or use '
        'mode = "tcp"']
    assert not directory.errors(WHOLE + tls + 'client_ca = "b"\npartial_chain = true\nalpn = ["http/1.1"]\n')
    assert not directory.errors(WHOLE.replace('backend =', 'mode = "tcp"\nbackend =') + tls + 'alpn = ["h2"]\n')
    assert directory.errors(WHOLE + '[backends.app.tls]\npartial_chain = true\n') == [
        "lbd.toml:7:1: backends.app.tls.partial_chain: says how `ca` is believed; add ca, or leave it out"]
    assert not directory.errors(WHOLE + '[backends.app.tls]\nca = "b"\npartial_chain = true\n')


def test_tls(directory: Directory) -> None:
    tls = '[listeners.web.tls]\ncertificates = "a"\nverify = "optional"\n'
    assert directory.errors(WHOLE + tls) == [
        "lbd.toml:8:1: listeners.web.tls.verify: without client_ca no certificate is asked for; "
        "add client_ca, or leave it out"]
    assert directory.warnings(WHOLE + "[backends.app.tls]\nverify = false\n") == [
        "lbd.toml:7:1: backends.app.tls.verify: no certificate is checked: "
        "whoever is on the way to the servers can read and change everything"]
    assert directory.errors(WHOLE.replace("10.0.0.1:80", "unix:/run/a.sock") + "[backends.app]\ntls = true\n") == [
        "lbd.toml:7:1: backends.app.tls: a server on a Unix socket has no name of its own; give server_name"]


def test_redirects_to_https(directory: Directory) -> None:
    redirecting = WHOLE.replace('backend = "app"\n', "https_redirect = true\n", 1)
    route = '[[listeners.web.routes]]\npath = "/x"\nbackend = "app"\n'
    assert directory.errors(redirecting + route) == []
    assert directory.errors(WHOLE.replace('backend = "app"\n', 'backend = "app"\nhttps_redirect = true\n', 1)) == [
        'lbd.toml:4:1: listeners.web.https_redirect: everything that no route takes is redirected, so "app" would get '
        "nothing; leave out backend, or redirect"]
    assert directory.errors(redirecting + '[listeners.web.tls]\ncertificates = "a"\n' + route) == [
        "lbd.toml:3:1: listeners.web.https_redirect: only what comes by plain HTTP can be redirected to https"]


@pytest.mark.parametrize(("name", "warned"), [("header:Cookie", True), ("header:authorization", True),
                                              ("header:x-tenant", False), ("host", False)])
def test_secrets_are_logged_only_with_a_warning(directory: Directory, name: str, warned: bool) -> None:
    found = directory.warnings(WHOLE + f'[log]\naccess_fields = ["{name}"]\n')
    assert [text.partition("access_fields: ")[2] for text in found] == (
        [f'"{name}" writes secrets of clients into the log'] if warned else [])


STICKY = "[backends.app]\nsticky = {app}\n[backends.b]\nsticky = {b}\nservers.x = '10.0.0.9:80'\n"
ROUTE = "[[listeners.web.routes]]\npath_prefix = '/b'\nbackend = 'b'\n"


def test_cookies_that_browsers_refuse(directory: Directory) -> None:
    text = "[backends.app]\nsticky = { same_site = 'None' }\n" + WHOLE
    assert directory.errors(text) == [
        "lbd.toml:2:12: backends.app.sticky.same_site: browsers keep no cookie of SameSite=None that is not Secure; "
        "add secure = true"]
    assert directory.errors(text.replace("'None'", "'None', secure = true")) == []


@pytest.mark.parametrize(("app", "b", "host"), [
    ("{ cookie = 'A' }", "{}", ""), ("{}", "{ path = '/b' }", ""), ("{}", "false", ""),
    ("{}", "{}", "host = 'b.test'")])
def test_cookies_that_browsers_tell_apart(directory: Directory, app: str, b: str, host: str) -> None:
    assert directory.warnings(STICKY.format(app=app, b=b) + WHOLE + ROUTE + host) == []


def test_one_cookie_of_two_backends(directory: Directory) -> None:
    assert directory.warnings(STICKY.format(app="{}", b="true") + WHOLE + ROUTE) == [
        'lbd.toml:2:1: backends.app.sticky: its cookie is that of backend "b" too: a client that uses both '
        "loses its server each time; give one of them another name or path"]

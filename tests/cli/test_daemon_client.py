"""lbd.cli.daemon_client: which daemon is asked, and how a silent one is told of."""

import argparse
import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lbd.cli import daemon_client
from lbd.cli.daemon_client import DaemonClient, find_daemon
from lbd.errors import LbdError, UsageError
from lbd.schema.units import Address
from tests.admin.certificates import Authority


def args(admin: str | None = None, config: object = None) -> argparse.Namespace:
    return argparse.Namespace(admin=admin, config=None if config is None else str(config), admin_ca=None,
                              admin_cert=None)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lbd.toml"
    path.write_text('include = ["more/*.toml"]\n[admin]\nbind = "unix:/from/file.sock"\n[nonsense]\nx = 1\n')
    return path


def test_the_option_comes_before_all(file: Path) -> None:
    found = find_daemon(args("unix:/from/option.sock", file), {"LBD_ADMIN": "unix:/from/environment.sock"})
    assert found == DaemonClient(Address(path="/from/option.sock"))


def test_standard_input_is_no_daemons_file() -> None:
    with pytest.raises(UsageError, match="-c - says nothing of a running daemon: --admin ADDR or LBD_ADMIN"):
        find_daemon(args(config="-"), {})


def test_the_environment_comes_before_the_file(file: Path) -> None:
    assert find_daemon(args(config=file), {"LBD_ADMIN": "127.0.0.1:8405"}) == DaemonClient(Address("127.0.0.1", 8405))


def test_the_file_is_read_even_when_it_is_not_valid(file: Path) -> None:
    assert find_daemon(args(config=file), {}) == DaemonClient(Address(path="/from/file.sock"))


def test_included_files_count_and_loops_end(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('include = ["a.toml", "b*.toml"]\n')
    (tmp_path / "b1.toml").write_text('include = "odd"\n')
    (tmp_path / "b2.toml").write_text('include = ["a.toml"]\n[admin]\nbind = "127.0.0.1:1"\n')
    assert find_daemon(args(config=tmp_path / "a.toml"), {}) == DaemonClient(Address("127.0.0.1", 1))


def test_default_is_the_system_socket_or_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon_client, "SYSTEM_SOCKET", str(tmp_path / "no.sock"))
    assert find_daemon(args(), {"XDG_RUNTIME_DIR": str(tmp_path)}).address.path == str(tmp_path / "no.sock")
    own = tmp_path / "lbd" / "admin.sock"
    own.parent.mkdir()
    own.touch()
    assert find_daemon(args(), {"XDG_RUNTIME_DIR": str(tmp_path)}).address.path == str(own)


def test_token_from_the_environment_or_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("abc\n")
    (tmp_path / "lbd.toml").write_text('[admin]\nbind = "127.0.0.1:1"\ntoken_file = "secret"\n')
    assert find_daemon(args(config=tmp_path / "lbd.toml"), {}).token == "abc"
    assert find_daemon(args("127.0.0.1:1"), {"LBD_TOKEN_FILE": str(tmp_path / "secret")}).token == "abc"


@pytest.mark.parametrize(("content", "wanted"), [
    ("abc\n", "abc"), ("# mine\n\nread one\noperate two\n", "two"), ("register:app one\nsha256:00\n", "one"),
    ("read one\ntwo\n", "two")])
def test_the_daemons_own_file_of_tokens_serves_too(tmp_path: Path, content: str, wanted: str) -> None:
    (tmp_path / "tokens").write_text(content)
    assert daemon_client.read_token(str(tmp_path / "tokens")) == wanted


def test_hashes_are_no_tokens(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("read sha256:00\n# abc\n")
    with pytest.raises(LbdError, match="only hashes"):
        daemon_client.read_token(str(tmp_path / "tokens"))


@pytest.mark.parametrize(("bind", "reached"), [
    ("*:8405", "127.0.0.1:8405"),
    ("0.0.0.0:8405", "127.0.0.1:8405"),
    ("[::]:8405", "[::1]:8405"),
    ("[::1]:8405", "[::1]:8405"),
])
def test_a_wildcard_is_reached_over_loopback(tmp_path: Path, bind: str, reached: str) -> None:
    (tmp_path / "lbd.toml").write_text(f'[admin]\nbind = "{bind}"\n')
    assert str(find_daemon(args(config=tmp_path / "lbd.toml"), {}).address) == reached


@pytest.mark.parametrize("text", ["nowhere", "host:99999", "unix:", ""])
def test_a_bad_address_is_bad_usage(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--admin: .*must be "):
        daemon_client.parse_address(text, "--admin")


@pytest.mark.parametrize(("content", "message"), [
    (None, "cannot read {}: No such file or directory"),
    ("[admin\n", "{}: Expected ']'"),
])
def test_a_file_that_cannot_be_read(tmp_path: Path, content: str | None, message: str) -> None:
    path = tmp_path / "lbd.toml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(LbdError) as caught:
        find_daemon(args(config=path), {})
    assert str(caught.value).startswith(message.format(path))


def test_ask_sends_json_and_the_token(fake_daemon: Any) -> None:
    fake_daemon.answers["POST", "/v1/x"] = 200, {"fine": True}
    answer = DaemonClient(Address(path=str(fake_daemon.path)), "secret").send_request("POST", "/v1/x", {"a": 1})
    assert (answer.status, answer.data) == (200, {"fine": True})
    method, path, headers, body = fake_daemon.seen[0]
    assert (method, path, json.loads(body)) == ("POST", "/v1/x", {"a": 1})
    assert headers["Authorization"] == "Bearer secret"


def test_answers_that_are_no_json(fake_daemon: Any) -> None:
    fake_daemon.answers["GET", "/text"] = 500, b"oops"
    answer = DaemonClient(Address(path=str(fake_daemon.path))).send_request("GET", "/text")
    assert (answer.data, answer.error) == (None, "the daemon answered 500")


def test_a_refused_token(fake_daemon: Any) -> None:
    fake_daemon.answers["GET", "/v1/status"] = 401, {}
    with pytest.raises(LbdError, match="refuses the token"):
        DaemonClient(Address(path=str(fake_daemon.path))).send_request("GET", "/v1/status")


def test_what_a_token_may_not_do(fake_daemon: Any) -> None:
    fake_daemon.answers["PATCH", "/v1/x"] = 403, {"detail": "a token for read may not do this"}
    with pytest.raises(LbdError, match="refuses this: a token for read may not do this"):
        DaemonClient(Address(path=str(fake_daemon.path))).send_request("PATCH", "/v1/x", {})


def test_nobody_there(tmp_path: Path) -> None:
    where = tmp_path / "none.sock"
    with pytest.raises(LbdError, match=f"^no answer from a running lbd at unix:{where}: there is no such socket"):
        DaemonClient(Address(path=str(where))).send_request("GET", "/")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(where))
    with pytest.raises(LbdError, match="nothing listens there"):
        DaemonClient(Address(path=str(where))).send_request("GET", "/")


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[tuple[int, Authority]]:
    """A server that wants a certificate of the client, and closes after each handshake; its port."""
    authority = Authority(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.certificate("lbd", "IP:127.0.0.1"))
    context.load_verify_locations(authority.ca)
    context.verify_mode = ssl.CERT_REQUIRED

    class Server(socketserver.ThreadingTCPServer):
        def get_request(self) -> Any:
            sock, address = super().get_request()
            return context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False), address

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Handshakes fail here."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline().strip():
                pass
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1], authority
        server.shutdown()
        thread.join()


def test_over_tls(secure: tuple[int, Authority], tmp_path: Path) -> None:
    port, authority = secure
    url = f"https://127.0.0.1:{port}"
    with pytest.raises(LbdError, match=r"its certificate is not believed: .*--admin-ca"):
        find_daemon(args(url), {}).send_request("GET", "/")
    with pytest.raises(LbdError, match="no answer from a running lbd"):
        find_daemon(args(url), {"LBD_ADMIN_CA": authority.ca}).send_request("GET", "/")
    own = authority.certificate("operator")
    daemon = find_daemon(args(url), {"LBD_ADMIN_CA": authority.ca, "LBD_ADMIN_CERT": own})
    assert daemon.send_request("GET", "/").status == 200
    # By the file, it is the very certificate that the file names, whatever it is called.
    (tmp_path / "lbd.toml").write_text(
        f'[admin]\nbind = "127.0.0.1:{port}"\ntls = {{ cert = "authority-lbd.pem", client_ca = "x" }}\n')
    daemon = find_daemon(args(config=tmp_path / "lbd.toml"), {"LBD_ADMIN_CERT": own})
    assert daemon.send_request("GET", "/").status == 200


def test_somebody_who_says_nothing(tmp_path: Path) -> None:
    where = tmp_path / "silent.sock"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(where))
        silent.listen()
        with pytest.raises(LbdError, match="does not answer in time"):
            DaemonClient(Address(path=str(where))).send_request("GET", "/", timeout=0.05)

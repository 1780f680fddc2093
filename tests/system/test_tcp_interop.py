"""TCP mode with real protocols: PostgreSQL and Redis by their own clients, and TLS that passes through by its name."""

import os
import pwd
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lbd_process import Lbd, free_port, until

CONFIG = """
[listeners.db]
bind = "127.0.0.1:$db"
mode = "tcp"
backend = "db"
[backends.db]
algorithm = "least-connections"
health = {{ type = "tcp" }}
servers = {{ a = "127.0.0.1:{port}" }}
"""


def program(name: str, *places: str) -> str:
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *places]))
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@contextmanager
def running(command: list[str], port: int, user: str | None = None) -> Iterator[None]:
    """The program, once it listens."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, user=user, cwd="/")
    try:
        until(lambda: _listens(port), f"{command[0]} listens")
        yield
    finally:
        process.terminate()
        process.wait(20)


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.mark.programs
def test_redis() -> None:
    server, client, load = program("redis-server"), program("redis-cli"), program("redis-benchmark")
    port = free_port()
    with running([server, "--port", str(port), "--save", "", "--appendonly", "no", "--bind", "127.0.0.1"], port), \
            Lbd(CONFIG.format(port=port)) as lbd:
        through = ["-h", "127.0.0.1", "-p", str(lbd.port("db"))]
        assert said(client, *through, "PING") == "PONG\n"
        assert said(client, *through, "SET", "key", "x" * 100_000) == "OK\n"
        assert said(client, *through, "STRLEN", "key") == "100000\n"
        output = said(load, *through, "-n", "5000", "-c", "20", "-P", "4", "-q", "-t", "set,get", "-d", "1000")
        assert output.count("requests per second") >= 2
        until(lambda: 'lbd_server_in_flight{backend="db",server="a"} 0.0' in lbd.metrics(), "all are gone")
        assert 'lbd_endings_total{ending="tunnel-closed"}' in lbd.metrics()


@contextmanager
def postgres(directory: Path) -> Iterator[int]:
    """A cluster of its own, by a user that is not root."""
    places = [str(path) for path in Path("/usr/lib/postgresql").glob("*/bin")]
    initdb, server = program("initdb", *places), program("postgres", *places)
    user = None
    if os.getuid() == 0:
        try:
            user = pwd.getpwnam("postgres").pw_name
        except KeyError:
            pytest.skip("root cannot run PostgreSQL, and there is no user postgres")
        shutil.chown(directory, user)
        for parent in directory.parents[:3]:
            os.chmod(parent, 0o755)
    data, port = str(directory / "data"), free_port()
    made = subprocess.run([initdb, "-A", "trust", "-U", "postgres", "-D", data, "-N"], user=user, cwd="/",
                          capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"initdb does not work here: {made.stderr.decode()[-200:]}")
    with running([server, "-D", data, "-p", str(port), "-k", str(directory), "-c", "listen_addresses=127.0.0.1"], port,
                 user):
        until(lambda: subprocess.run([program("psql"), "-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-c", ""],
                                     capture_output=True, check=False).returncode == 0, "it takes clients")
        yield port


@pytest.mark.programs
def test_postgresql(tmp_path: Path) -> None:
    client = program("psql")
    with postgres(tmp_path) as port, Lbd(CONFIG.format(port=port)) as lbd:
        through = [client, "-h", "127.0.0.1", "-p", str(lbd.port("db")), "-U", "postgres", "-XAtq", "-c"]

        def asked(statement: str) -> str:
            return until(lambda: said(*through, statement), statement)
        assert asked("select 6 * 7") == "42\n"
        assert len(asked("select repeat('x', 3000000)")) == 3_000_001
        assert asked("create table t as select generate_series(1, 200000) n; select sum(n) from t") == "20000100000\n"
        assert asked("copy (select n from t) to stdout").count("\n") == 200_000


class Named:
    """A TLS server with a certificate for one name: it says that name to whoever connects."""

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.file = directory / f"{name}.pem"
        made = subprocess.run(
            [program("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
             "-keyout", str(self.file), "-out", str(self.file) + ".crt"], capture_output=True, check=False)
        assert made.returncode == 0, made.stderr
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(self.file) + ".crt", self.file)
        self._listening = context.wrap_socket(socket.create_server(("127.0.0.1", 0)), server_side=True)
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except ssl.SSLError:
                continue
            except OSError:
                return
            with connection:
                connection.sendall(self.name.encode())

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)


def greeted(port: int, name: str, authority: Path) -> str:
    """The greeting of the server, whose certificate must be for the name."""
    context = ssl.create_default_context(cafile=authority)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as sock, \
            context.wrap_socket(sock, server_hostname=name) as connection:
        return connection.recv(100).decode()


def test_tls_goes_by_its_name_to_the_server_that_has_the_key(tmp_path: Path) -> None:
    one, other = Named("one.example.com", tmp_path), Named("other.test", tmp_path)
    text = f"""
[listeners.tls]
bind = "127.0.0.1:$tls"
mode = "tcp"
[[listeners.tls.routes]]
sni = "*.example.com"
backend = "one"
[[listeners.tls.routes]]
sni = "other.test"
backend = "other"
[backends.one]
servers = {{ a = "127.0.0.1:{one.port}" }}
[backends.other]
servers = {{ a = "127.0.0.1:{other.port}" }}
"""
    try:
        with Lbd(text) as lbd:
            port = lbd.port("tls")
            for server in (one, other, one):
                assert greeted(port, server.name, tmp_path / f"{server.name}.pem.crt") == server.name
            with pytest.raises((ssl.SSLError, ConnectionError)):
                greeted(port, "nobody.test", tmp_path / "other.test.pem.crt")
            for garbage in (b"\0" * 1000, b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff"):
                with socket.create_connection(("127.0.0.1", port), timeout=20) as sock:
                    try:
                        sock.sendall(garbage)
                        assert sock.recv(10) == b""
                    except ConnectionError:
                        pass
            until(lambda: 'lbd_endings_total{ending="bad-client-hello"} 3.0' in lbd.metrics(), "they are counted")
            until(lambda: 'lbd_endings_total{ending="no-route"} 1.0' in lbd.metrics(), "so is who asked for nobody")
    finally:
        one.close()
        other.close()

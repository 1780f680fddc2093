"""The client of the running daemon: HTTP requests to its admin address."""

import argparse
import glob
import http.client
import json
import os
import socket
import ssl
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lbd.cli import argument_types, daemon_tls, options
from lbd.config.document import INPUT
from lbd.errors import LbdError, Problem, UsageError
from lbd.schema import units as u
from lbd.schema.kinds import ValueKind
from lbd.schema.units import Address
from lbd.wording import shown

SYSTEM_SOCKET = "/run/lbd/admin.sock"
TIMEOUT = 60.0             # seconds until the response: a reload waits for first checks and for every worker
LONGEST_ANSWER = 64 << 20  # bytes; a status of 10 000 servers has some 4 MiB
MOST_INCLUDES = 1000       # files that are searched for [admin]


class NoAnswer(LbdError):
    """No response from a daemon; `passing` unless the user lacks the permission to connect."""

    def __init__(self, text: str, passing: bool = True) -> None:
        self.passing = passing
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class DaemonAnswer:
    """A response: its HTTP status, and the JSON of its body (None for another body)."""

    status: int
    data: Any

    @property
    def error(self) -> str:
        """The error text of the daemon, else the bare status."""
        if isinstance(self.data, dict) and isinstance(text := self.data.get("detail", self.data.get("error")), str):
            return text
        return f"the daemon answered {self.status}"


class UnixConnection(http.client.HTTPConnection):
    """HTTP/1.1 over a Unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self) -> None:
        """Connect to the path, which begins with NUL for an abstract socket. Raises `OSError`."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


@dataclass(frozen=True, slots=True)
class DaemonClient:
    """A daemon at its admin address, with the bearer token that a TCP address requires."""

    address: Address
    token: str = ""
    trust: ssl.SSLContext | None = None   # over TLS

    def send_request(self, method: str, path: str, body: Any = None, timeout: float = TIMEOUT) -> DaemonAnswer:
        """Send a request, `body` as JSON. Raises `LbdError` with one line when there is no usable response."""
        where = self.address
        connection = self._connection(timeout)
        headers = {"Accept": "application/json", "Connection": "close"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            content = response.read(LONGEST_ANSWER + 1)
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"no answer from a running lbd at {where}: {failure_reason(error)}",
                           not isinstance(error, PermissionError)) from None
        finally:
            connection.close()
        if len(content) > LONGEST_ANSWER:
            raise LbdError(f"the answer from {where} is longer than {LONGEST_ANSWER} bytes")
        answer = DaemonAnswer(response.status, parse_json(content))
        if response.status == 401:
            raise LbdError(f"lbd at {where} refuses the token (LBD_TOKEN_FILE names the file that holds it)")
        if response.status == 403:
            raise LbdError(f"lbd at {where} refuses this: {answer.error}")
        return answer

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        where = self.address
        if where.path:
            return UnixConnection(where.sun_path, timeout)
        if self.trust is not None:
            return http.client.HTTPSConnection(where.host, where.port, timeout=timeout, context=self.trust)
        return http.client.HTTPConnection(where.host, where.port, timeout=timeout)


def parse_json(content: bytes) -> Any:
    """The JSON of the body, None for another body."""
    try:
        return json.loads(content)
    except ValueError:
        return None


def failure_reason(error: Exception) -> str:
    """The reason why there was no response, and a remedy."""
    if isinstance(error, FileNotFoundError):
        return "there is no such socket; is it running? (--admin ADDR or LBD_ADMIN says where)"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there; is it running?"
    if isinstance(error, PermissionError):
        return "permission denied; ask as the user that lbd runs as, or as root"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not believed: {error.verify_message} (--admin-ca names the file of its authority)"
    if isinstance(error, ssl.SSLError):
        return f"no TLS with it: {error.reason or error} (it may want a certificate: --admin-cert)"
    if isinstance(error, http.client.RemoteDisconnected):
        return "it closes without a word; one with [admin.tls] wants https:// and may want --admin-cert"
    if isinstance(error, TimeoutError):
        return "it accepts, but does not answer in time"
    if isinstance(error, http.client.HTTPException):
        return "what answers there does not speak HTTP as lbd does"
    return error.strerror or str(error) if isinstance(error, OSError) else str(error)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that select the daemon."""
    argument_types.add_group(parser, options.ADMIN, "which daemon")


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that select the daemon, and the format of its answer."""
    add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the daemon's answer as JSON")


def find_daemon(args: argparse.Namespace, environment: Mapping[str, str] = os.environ) -> DaemonClient:
    """The daemon by --admin, else LBD_ADMIN, else [admin] bind of the file, else at the default address."""
    token_file = environment.get("LBD_TOKEN_FILE", "")
    ca = args.admin_ca or environment.get("LBD_ADMIN_CA", "")
    cert = args.admin_cert or environment.get("LBD_ADMIN_CERT", "")
    for text, where in ((args.admin, "--admin"), (environment.get("LBD_ADMIN"), "LBD_ADMIN")):
        if text:
            secure = text.startswith("https://")
            found = parse_address(text.removeprefix("https://").rstrip("/") if secure else text, where)
            return DaemonClient(found, read_token(token_file), daemon_tls.daemon_context(ca, cert) if secure else None)
    if args.config == INPUT:
        raise UsageError("-c - says nothing of a running daemon: --admin ADDR or LBD_ADMIN says where it is")
    if args.config:
        where = f"{args.config}: admin.bind"
        table = admin_table(Path(args.config))
        beside = os.path.dirname(args.config)
        if not token_file and isinstance(table.get("token_file"), str):
            token_file = os.path.join(beside, table["token_file"])
        if table.get("bind") == u.OFF:
            raise UsageError(f'{where}: it is "off": this daemon can be asked nothing; signals and its log remain')
        if "bind" in table:
            tls = table.get("tls")
            own = os.path.join(beside, str(tls.get("cert"))) if isinstance(tls, Mapping) else ""
            return DaemonClient(loopback(parse_address(table["bind"], where, u.BIND)), read_token(token_file),
                                daemon_tls.daemon_context(ca, cert, own) if own else None)
    return DaemonClient(default_address(environment), read_token(token_file))


def parse_address(text: Any, where: str, kind: ValueKind = u.ADDRESS) -> Address:
    """Parse an address; raises `UsageError` that names the place of the text."""
    try:
        found: Address = kind.parse(text)
    except ValueError as error:
        raise UsageError(f"{where}: {shown(text)} {error}; must be {kind.allowed}") from None
    return found


def loopback(bind: Address) -> Address:
    """The address by which a daemon that is bound to this one is reached on its own machine."""
    if not bind.wildcard:
        return bind
    return Address("::1" if ":" in bind.host else "127.0.0.1", bind.port)


def default_address(environment: Mapping[str, str]) -> Address:
    """The socket of the system, or that of the user where only that exists."""
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    own = os.path.join(runtime, "lbd", "admin.sock")
    if runtime and os.path.exists(own) and not os.path.exists(SYSTEM_SOCKET):
        return Address(path=own)
    return Address(path=SYSTEM_SOCKET)


def read_token(file: str) -> str:
    """The first token of the role operate in the file, else the first one; "" without a file. A line is TOKEN or
    ROLE TOKEN: the daemon's own file can be used too, unless it holds hashes only."""
    if not file:
        return ""
    try:
        lines = [line.split() for line in Path(file).read_text("ascii").splitlines()]
    except OSError as error:
        raise LbdError(f"cannot read the token file {file}: {error.strerror}") from None
    except ValueError:
        raise LbdError(f"the token file {file} holds no ASCII text") from None
    usable = [words for words in lines
              if words and not words[0].startswith("#") and not words[-1].startswith("sha256:")]
    if not usable:
        raise LbdError(f"the token file {file} holds no token, or only hashes of some: LBD_TOKEN_FILE may name another")
    return min(usable, key=lambda words: len(words) > 1 and words[0] != "operate")[-1]


def admin_table(file: Path) -> dict[str, Any]:
    """The table [admin] of the file or of one that it includes.

    The rest is not checked: a file that has become invalid since the start must still lead to the daemon.
    """
    waiting: list[Path] = [file]
    seen: set[Path] = set()
    while waiting and len(seen) < MOST_INCLUDES:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        data = toml(path)
        if isinstance(data.get("admin"), dict):
            return dict(data["admin"])
        patterns = data.get("include", [])
        for pattern in patterns if isinstance(patterns, list) else []:
            waiting += map(Path, sorted(glob.glob(os.path.join(path.parent, str(pattern)))))
    return {}


def toml(path: Path) -> dict[str, Any]:
    """The tables of the file; raises `LbdError` with one line."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise LbdError(f"cannot read {path}: {error.strerror}") from None
    except ValueError as error:
        raise LbdError(f"{path}: {error}; --admin ADDR finds the daemon without the file") from None


def problem_line(problem: object) -> str:
    """The line of text for a problem of a refused configuration."""
    try:
        return str(Problem(**problem)) if isinstance(problem, dict) else str(problem)
    except TypeError:  # a daemon of another version has other fields
        return str(problem)

"""The two servers that every proxy stands before: one nginx, one worker, two ports."""

import contextlib
import pwd
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from os import getuid
from pathlib import Path

from tests.bench.clients import answers
from tests.bench.machine import Processors, find, free_port
from tests.bench.process import Process, poll

BODY = 10_000_000       # bytes of /10m
CONFIGS = Path(__file__).parent / "configs"


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers listen, on 127.0.0.1."""

    a: int
    b: int


def written(name: str, directory: Path, values: dict[str, object]) -> Path:
    """Put a configuration of `configs/` into the directory, each @KEY@ replaced by its value."""
    text = (CONFIGS / name).read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    path = directory / name
    path.write_text(text)
    return path


def user() -> str:
    """The user of this process: nginx as root would give up its rights, and could then not read its directory."""
    return pwd.getpwuid(getuid()).pw_name


def certificate(directory: Path) -> Path:
    """A new certificate with its key (P-256), in one file."""
    path, key = directory / "bench.pem", directory / "bench.key"
    openssl = find("openssl")
    if not openssl:
        raise SystemExit("openssl is not installed: the benchmark needs it to make a certificate")
    subprocess.run([openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "2", "-subj", "/CN=bench.example", "-keyout", str(key), "-out", str(path)],
                   check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + key.read_bytes())
    return path


@contextlib.contextmanager
def serving(directory: Path, processors: Processors) -> Iterator[Servers]:
    """Two servers that answer /2 and /12 from memory, /10m from a file in memory, and take uploads at /upload."""
    nginx = find("nginx")
    if not nginx:
        raise SystemExit("nginx is not installed: the benchmark needs it as its servers")
    home = directory / "servers"
    home.mkdir()
    (home / "10m").write_bytes(b"x" * BODY)
    servers = Servers(free_port(), free_port())
    config = written("servers.conf", home, {"A": servers.a, "B": servers.b, "HOME": home, "USER": user()})
    command = [nginx, "-p", str(home), "-c", str(config), "-e", str(home / "error.log"), "-g", "daemon off;"]
    with Process(command, processors.load, home) as process:
        if not poll(lambda: answers(servers.a, "/2") and answers(servers.b, "/2"), 5):
            raise SystemExit(f"the servers did not start: {process.output()}")
        yield servers

"""The site: the daemon, its configuration as it is now, and the servers behind it."""

import asyncio
import json
import random
import signal
import ssl
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.authority import Authority
from tests.chaos.clock import Clock
from tests.chaos.origins import Echo, Origin
from tests.system.lbd_process import Lbd, Unix

ALGORITHMS = ("round-robin", "weighted-round-robin", "least-connections", "least-time", "random-two-choices",
              "url-hash", "random", "consistent-hash", "threshold")
TEXT = """
[log]
access = "{directory}/access.log"
access_sample = "10%"
[timeouts]
connect = "1s"
server = "3s"
server_idle = "2s"
client_header = "3s"
client_body = "3s"
queue = "4s"
[health.web]
interval = "500ms"
timeout = "500ms"
fall = 2
[health.tcp]
type = "tcp"
interval = "500ms"
timeout = "500ms"
[listeners.plain]
bind = "127.0.0.1:$plain"
backend = "app"
[[listeners.plain.routes]]
path_prefix = "/bounded/"
strip_prefix = "/bounded"
backend = "bounded"
[listeners.secure]
bind = "127.0.0.1:$secure"
backend = "app"
tls = {{ certificates = ["{directory}/live.pem"] }}
[listeners.tcp]
bind = "127.0.0.1:$tcp"
mode = "tcp"
backend = "echo"
[backends.app]
algorithm = {algorithm}
health = "web"
max_idle = 8
registration = {{ networks = ["127.0.0.0/8"] }}
outlier = {{ consecutive = 5, base = "1s", max = "3s" }}
[backends.app.servers]
{servers}
[backends.bounded]
health = "web"
max_idle = 8
[backends.bounded.servers]
{bounded}
[backends.echo]
health = "tcp"
[backends.echo.servers]
{echoes}
"""


class Site:
    """Everything that faults act on. `afflicted` are servers that a fault has in hand."""

    def __init__(self, workers: int) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="lbd-chaos-")
        self.directory = Path(self._temporary.name)
        self.clock = Clock(self.directory)
        self.authority = Authority(self.directory)
        self.renew()
        self.origins = [Origin(name) for name in "abcde"]
        self.echoes = [Echo(name) for name in "xyz"]
        self.extra = Origin("registered")
        self.afflicted: set[str] = set()
        self.algorithm = "least-connections"
        self.weights = {"a": 1, "b": 2, "c": 1, "d": 1}      # and so the servers that are configured
        self.lbd: Lbd
        self._workers = workers
        self.lock = asyncio.Lock()

    def renew(self) -> None:
        """Another certificate in place of the one in use."""
        self.authority.issue("live.pem", "chaos.test")

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.authority.file))

    async def open(self) -> None:
        """Start the servers, then the daemon."""
        for origin in (*self.origins, *self.echoes, self.extra):
            await origin.start()
        self.lbd = Lbd(self.text(), workers=self._workers, settings='drain_timeout = "4s"',
                       environment=self.clock.environment)
        await asyncio.to_thread(self.lbd.start)

    async def close(self) -> int:
        """Stop the daemon; returns its exit code."""
        code = await asyncio.to_thread(self.lbd.stop)
        for origin in (*self.origins, *self.echoes, self.extra):
            await origin.stop()
        return code

    def remove(self) -> None:
        """Delete what is on the disk."""
        self.lbd.close()
        self._temporary.cleanup()

    def text(self) -> str:
        """The configuration as it is wanted now."""
        ports = {origin.name: origin.port for origin in self.origins}
        servers = "\n".join(f'{name} = {{ address = "127.0.0.1:{ports[name]}", weight = {weight} }}'
                            for name, weight in sorted(self.weights.items()))
        bounded = "\n".join(f'{name} = {{ address = "127.0.0.1:{ports[name]}", max_conns = 2 }}' for name in "ab")
        echoes = "\n".join(f'{echo.name} = "127.0.0.1:{echo.port}"' for echo in self.echoes)
        wanted = f'{{ name = "{self.algorithm}", key = "path" }}' if self.algorithm == "consistent-hash" \
            else f'"{self.algorithm}"'
        return TEXT.format(directory=self.directory, algorithm=wanted, servers=servers, bounded=bounded, echoes=echoes)

    async def ask(self, method: str, path: str, content: dict[str, Any] | None = None) -> tuple[int, Any]:
        """Make a request to the admin interface."""
        return await asyncio.to_thread(self._ask, method, path, content)

    def _ask(self, method: str, path: str, content: dict[str, Any] | None) -> tuple[int, Any]:
        connection = Unix(f"{self.lbd.path}/admin.sock")
        try:
            connection.request(method, path, json.dumps(content) if content is not None else None,
                               {"Content-Type": "application/json"})
            response = connection.getresponse()
            found = response.read()
        finally:
            connection.close()
        return response.status, json.loads(found) if found.startswith((b"{", b"[")) else found.decode()

    async def status(self) -> dict[str, Any]:
        """GET /v1/status."""
        code, found = await self.ask("GET", "/v1/status")
        if code != 200:
            raise AssertionError(f"/v1/status: {code} {found}")
        return dict(found)

    async def reload(self, dice: random.Random) -> None:
        """Put what is wanted in force, by a signal or by the watch over the file; refused while a worker is stuck."""
        async with self.lock:
            before = (await self.status())["generation"]
            self.lbd.write(self.text())
            if dice.random() < 0.5:
                self.lbd.send(signal.SIGHUP)
            end = time.monotonic() + 12
            while (await self.status())["generation"] == before and time.monotonic() < end:
                await asyncio.sleep(0.1)

    async def break_file(self) -> str:
        """Write a file that is no configuration; returns what is wrong with how it was taken, "" for nothing."""
        async with self.lock:
            before = await self.status()
            self.lbd.write(self.text() + "\n[backends.app.servers.bad]\nadress = 5\n")
            self.lbd.send(signal.SIGHUP)
            end = time.monotonic() + 40     # a reload under way may have to give up a worker that was stopped first
            after = before
            while not _refused(before, after) and time.monotonic() < end:
                await asyncio.sleep(0.1)
                after = await self.status()
            self.lbd.write(self.text())
            if not _refused(before, after):
                return "a broken file was not noticed"
            return "" if after["generation"] == before["generation"] else "a broken file was put in force"


def _refused(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether a reload since then failed because of the file."""
    was, now = before["last_reload"], after["last_reload"]
    return "adress" in str(now["error"]) and (now["time"] != was["time"] or "adress" not in str(was["error"]))

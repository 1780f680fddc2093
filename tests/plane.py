"""Fixtures of the data plane's tests: every test runs on uvloop, on both transports unless it says otherwise."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.rig import Peer, Refusing, Rig, Silent, Stage, configuration

CONFIG = """
[listeners.web]
bind = "127.0.0.1:1"
backend = "app"
{listener}

[backends.app]
{backend}
[backends.app.servers]
a = "{address}"
"""


@pytest.fixture(params=["sock", "loop"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    made = Rig(request.param)
    yield made
    await made.close()


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    made = await Stage().start()
    yield made
    made.close()


Simple = Callable[..., None]


@pytest.fixture
def simple(rig: Rig, stage: Stage, tmp_path: Path) -> Simple:
    """Starts the rig with one listener and one backend of one server, which is the stage."""
    def start(listener: str = "", backend: str = "", more: str = "") -> None:
        text = CONFIG.format(listener=listener, backend=backend, address=stage.address) + more
        rig.start(configuration(text, tmp_path))
    return start


Connect = Callable[..., Awaitable[Peer]]


@pytest.fixture
async def connect(rig: Rig) -> AsyncIterator[Connect]:
    """Makes clients of the rig."""
    peers: list[Peer] = []

    async def make(address: tuple[str, int] | None = None, **more: Any) -> Peer:
        peers.append(await Peer.connect(address or rig.address, **more))
        return peers[-1]
    yield make
    for peer in peers:
        peer.close()


@pytest.fixture
async def spare() -> AsyncIterator[Stage]:
    """Another server."""
    made = await Stage().start()
    yield made
    made.close()


@pytest.fixture
def refusing() -> Iterator[Refusing]:
    made = Refusing()
    yield made
    made.close()


@pytest.fixture
def silent() -> Iterator[Silent]:
    made = Silent()
    yield made
    made.close()


@pytest.fixture
async def client(rig: Rig, simple: Simple) -> AsyncIterator[Peer]:
    """A client of the simple rig."""
    simple()
    peer = await Peer.connect(rig.address)
    yield peer
    peer.close()


@pytest.fixture
def told() -> Iterator[list[Any]]:
    """The events of the daemon's log."""
    with capture_logs() as found:
        yield found


def refusal(told: list[Any], listener: str = "web") -> tuple[str, str, str]:
    """Client, ending and reason of the one refused connection that the log tells of."""
    line, = [line for line in told if line["event"] == "connection refused"]
    assert line["listener"] == listener
    return line["client"], line["ending"], line["reason"]

"""Runs every wire test on both transports: request bytes in, what the server sees, what the client sees."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.rig import LIMIT, Peer, Rig, Stage, configuration
from tests.wire.script import Script, Step, pattern, read_script

DATE = re.compile(rb"(?<=\r\n)Date: [^\r\n]*\r\n")
CASES = sorted(Path(__file__).parent.glob("*.wire"))

CONFIG = """
[global]
trusted_proxies = {trusted}
[listeners.web]
bind = "127.0.0.1:1"
backend = "app"
{listener}
[backends.app]
{backend}
servers = {{ a = "{address}" }}
{more}
"""


class Play:
    """Performs the steps of one script."""

    def __init__(self, rig: Rig, stage: Stage) -> None:
        self.rig = rig
        self.stage = stage
        self.client: Peer | None = None
        self.server: Peer | None = None
        self.peers: list[Peer] = []
        self.endings: dict[str, int] = {}

    async def perform_all(self, name: str, script: Script) -> None:
        """The whole script, for a client that just connected."""
        await self.perform(Step("client connects", 0))
        for step in script.steps:
            try:
                await self.perform(step)
            except (AssertionError, TimeoutError, ConnectionError) as error:
                where = f"{name}:{step.line}: {script.title}: {step.what}"
                raise AssertionError(f"{where}: {type(error).__name__} {error}") from None

    async def perform(self, step: Step) -> None:
        """Take a step."""
        who, _, verb = step.what.partition(" ")
        if who == "ending":
            await self.ending(verb)
            return
        if verb == "connects":
            self.client = await Peer.connect(self.rig.address)
            self.peers.append(self.client)
        elif verb == "accepts" or (who == "server" and self.server is None):
            self.server = await self.stage.accept()
            self.peers.append(self.server)
        if verb not in ("connects", "accepts"):
            peer = self.client if who == "client" else self.server
            assert peer is not None, "nobody is connected"
            if verb.startswith("gets answer "):
                await gets_answer(peer, int(verb.rpartition(" ")[2]))
            else:
                await VERBS[verb](peer, step.data)

    async def ending(self, name: str) -> None:
        """Wait until the ending was counted once more."""
        wanted = self.endings[name] = self.endings.get(name, 0) + 1
        await self.rig.until(lambda: self.rig.ending(name) >= wanted)
        assert self.rig.ending(name) == wanted


async def gets(peer: Peer, expected: bytes) -> None:
    wanted = pattern(expected)
    raw = got = b""
    try:
        async with asyncio.timeout(LIMIT / 2):
            while not wanted.fullmatch(got):
                more = await peer.reader.read(1)
                raw += more
                got = raw if b"\r\nDate: " in expected else DATE.sub(b"", raw)
                if not more or len(got) > len(expected) + 4096:
                    break
    except (TimeoutError, ConnectionError) as error:
        got += f"<{type(error).__name__}>".encode()
    if not wanted.fullmatch(got):
        assert got.decode("latin-1") == expected.decode("latin-1")


async def gets_answer(peer: Peer, status: int) -> None:
    head = await peer.head()
    assert head.startswith(b"HTTP/1.1 %d " % status), head
    length = re.search(rb"(?im)^content-length: (\d+)\r$", head)
    assert length is not None, head
    await peer.read(int(length[1]))


async def sees_close(peer: Peer, _data: bytes) -> None:
    assert await peer.rest() == b""


async def sees_cut(peer: Peer, _data: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        assert await peer.rest() == b""


def now(act: Callable[[Peer], None]) -> Callable[[Peer, bytes], Awaitable[None]]:
    async def acts(peer: Peer, _data: bytes) -> None:
        act(peer)
    return acts


VERBS: dict[str, Callable[[Peer, bytes], Awaitable[None]]] = {
    "sends": Peer.send,
    "gets": gets,
    "sees close": sees_close,
    "sees cut": sees_cut,
    "half-closes": now(Peer.half_close),
    "closes": now(Peer.close),
    "resets": now(Peer.reset),
}


@pytest.fixture(params=["sock", "loop"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    made = Rig(request.param)
    yield made
    await made.close()


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
async def test_wire(path: Path, rig: Rig, tmp_path: Path) -> None:
    script: Script = read_script(path)
    stage = await Stage().start()
    settings = {"trusted": "[]", "listener": "", "backend": "", "more": "", **script.settings}
    rig.start(configuration(CONFIG.format(address=stage.address, **settings), tmp_path))
    play = Play(rig, stage)
    try:
        await play.perform_all(path.name, script)
    finally:
        for peer in play.peers:
            peer.close()
        stage.close()
    await rig.until(lambda: rig.plane.clients == 0)
    assert rig.in_flight() == 0


def test_there_are_cases_and_each_has_its_own_title() -> None:
    titles = [read_script(path).title for path in CASES]
    assert len(titles) > 50
    assert len(set(titles)) == len(titles)
    assert all(re.fullmatch(r"[a-z0-9-]+", path.stem) for path in CASES)

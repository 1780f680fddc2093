"""The tick: expired clients, idle server connections, doubt that ends, and a clock that is late."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from lbd.proxy.timers import FEW, PARTS, TICK, Timers
from lbd.stats import endings, fields, scoreboard
from tests.plane import Connect
from tests.rig import Rig, Stage, answer, configuration, request


class Client:
    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.expired = 0
        self.stopped = 0

    def expire(self) -> None:
        self.expired += 1
        if self.expired > 1:
            raise RuntimeError("a fault")

    def stop(self, ending: int) -> None:
        self.deadline = 1e9
        self.stopped = ending


class Stream:
    """A request of a filter."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault
        self.off = 0.0
        self.ticks = 0
        self.stopped = 0

    def tick(self, now: float) -> None:
        self.ticks += 1
        if "tick" in self.fault:
            raise RuntimeError("a fault")

    def put_off(self, seconds: float) -> None:
        self.off += seconds

    def stop(self, ending: int) -> None:
        self.stopped = ending
        if "stop" in self.fault:
            raise RuntimeError("a fault")


class Context:
    """A clock that the test moves, and what was due."""

    def __init__(self) -> None:
        self.now = 0.0
        self.clients: set[Any] = set()
        self.streams: set[Any] = set()
        self.ticks: list[float] = []
        self.clock: Callable[[], float] = lambda: self.now + TICK

    def due(self, now: float) -> None:
        self.ticks.append(now)


class Hand:
    """A loop whose time the test moves."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.delays: list[float] = []

    def call_later(self, delay: float, call: Any) -> "Hand":
        self.calls.append(call)
        self.delays.append(delay)
        return self

    def cancel(self) -> None:
        self.calls.clear()


def timers(context: Any) -> tuple[Hand, Timers]:
    hand: Any = Hand()
    return hand, Timers(hand, context, context.clients, context.due)


def test_every_tick_looks_at_all_of_few_connections() -> None:
    context = Context()
    hand, _ = timers(context)
    late, early = Client(0.05), Client(0.15)
    context.clients.add(late)
    context.clients.add(early)
    hand.calls.pop()()
    assert (late.expired, early.expired) == (1, 0)
    late.deadline = 1e9
    hand.calls.pop()()
    assert (late.expired, early.expired) == (1, 1)
    assert hand.delays == [TICK] * 3
    assert context.ticks == [TICK, 2 * TICK]


def test_many_connections_are_looked_at_within_two_seconds() -> None:
    context = Context()
    hand, _ = timers(context)
    clients = [Client(0.0) for _ in range(FEW + 1)]
    context.clients.update(clients)
    hand.calls.pop()()
    gone = {client for client in clients if not client.expired and context.clients.remove(client) is None}
    assert PARTS - 1 <= len(clients) / (len(clients) - len(gone)) <= PARTS
    later = [Client(0.0) for _ in range(FEW)]
    context.clients.update(later)
    seen = []
    for _ in range(2 * PARTS):
        for client in context.clients:
            client.deadline = 1e9 if client.expired else 0.0
        hand.calls.pop()()
        seen.append(sum(client.expired for client in later))
    assert 0 < seen[PARTS] < seen[-1] == FEW
    assert not any(client.expired for client in gone)        # though they were there when the round began


def test_all_are_looked_at_again_once_they_are_few() -> None:
    context = Context()
    hand, _ = timers(context)
    clients = [Client(0.0) for _ in range(FEW + 1)]
    context.clients.update(clients)
    hand.calls.pop()()
    for client in [client for client in clients if client.expired]:
        context.clients.remove(client)
    hand.calls.pop()()
    assert all(client.expired == 1 for client in clients)


def test_one_that_raises_is_aborted_and_the_rest_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    context = Context()
    hand, _ = timers(context)
    broken, others = Client(0.0), [Client(0.0), Client(0.0)]
    broken.expired = 1
    for client in (broken, *others):
        context.clients.add(client)
    hand.calls.pop()()
    assert "".join(capsys.readouterr()).count("a connection failed at its deadline kind=Client") == 1
    assert broken.stopped == endings.INTERNAL_ERROR
    assert [client.expired for client in others] == [1, 1]
    assert hand.calls


@pytest.mark.parametrize("fault", ["tick", "tick, stop"])
def test_a_stream_that_raises_is_cut_and_the_rest_go_on(fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    context = Context()
    hand, _ = timers(context)
    broken, others = Stream(fault), [Stream(), Stream()]
    context.streams.update((broken, *others))
    for _ in range(2):
        hand.calls.pop()()
    assert "".join(capsys.readouterr()).count("a request of a filter failed at its deadline kind=Stream") == 1
    assert (broken.ticks, broken.stopped) == (1, endings.INTERNAL_ERROR)
    assert [stream.ticks for stream in others] == [2, 2]
    assert context.streams == set(others)
    assert len(context.ticks) == 2


def test_removed_and_stopped() -> None:
    context = Context()
    hand, made = timers(context)
    client = Client(0.0)
    context.clients.add(client)
    context.clients.remove(client)
    hand.calls.pop()()
    assert not client.expired
    made.stop()
    assert not hand.calls


def test_lateness_is_measured() -> None:
    context = Context()
    hand, made = timers(context)
    late = []
    for seconds in (0.35, TICK / 2):
        context.clock = lambda seconds=seconds: context.now + seconds  # type: ignore[misc]
        hand.calls.pop()()
        late.append(round(made.late, 3))
    assert late == [0.25, 0.0]


async def test_on_a_real_loop() -> None:
    context: Any = Context()
    context.now, context.clock = monotonic(), monotonic
    ticked = asyncio.Event()
    made = Timers(asyncio.get_running_loop(), context, (), lambda now: ticked.set())
    async with asyncio.timeout(20):
        await ticked.wait()
    made.stop()


def test_a_process_that_stood_still_gives_everybody_the_time_back() -> None:
    context = Context()
    hand, _ = timers(context)
    context.clock = lambda: 5.0
    waits, silent = Client(0.5), Client(5.05)
    context.clients.update({waits, silent})
    stream = Stream()
    context.streams.add(stream)
    hand.calls.pop()()
    assert 4.8 < stream.off < 5.0
    assert (waits.expired, silent.expired) == (0, 0)
    context.clock = lambda: 5.5
    hand.calls.pop()()
    assert waits.expired == 1
    assert silent.deadline > 9.9


async def test_while_the_process_stood_still_nobody_waited_in_a_queue(rig: Rig, stage: Stage, connect: Connect,
                                                                       tmp_path: Path) -> None:
    rig.start(configuration(f"""
        [listeners.web]
        bind = "127.0.0.1:1"
        backend = "app"
        [backends.app]
        timeouts = {{ queue = "20s" }}
        [backends.app.servers]
        a = {{ address = "{stage.address}", max_conns = 1 }}
    """, tmp_path))
    first, second = await connect(), await connect()
    await first.send(request())
    server = await stage.accept()
    await server.head()
    await second.send(request("/next"))
    await rig.until(lambda: rig.board.total(scoreboard.BACKEND, 0, fields.BACKEND_QUEUE) == 1)
    await rig.tick()
    clock = rig.plane.context.clock
    rig.plane.context.clock = lambda: clock() + 60       # seen by the gate before the next tick
    await rig.tick()
    await server.send(answer())
    assert (await server.head()).startswith(b"GET /next ")
    await server.send(answer())
    assert (await second.message())[0].startswith(b"HTTP/1.1 200 ")

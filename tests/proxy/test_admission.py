"""The admission of clients: accepting pauses at the limit, and goes on below it."""

from dataclasses import replace
from pathlib import Path

from lbd.backend.snapshot import Generation

from .conftest import Connect, Simple
from .rig import Rig, Stage, answer, configuration, generation, request

CONFIG = """
[global]
drain_timeout = "{drain}"
[listeners.web]
bind = "127.0.0.1:1"
backend = "app"
{listener}
{listeners}
[backends.app]
algorithm = "round-robin"
{backend}
[backends.app.servers]
{servers}
"""


def made(directory: Path, number: int, *servers: Stage, drain: str = "30s", listener: str = "", listeners: str = "",
         backend: str = "") -> Generation:
    """A generation; servers keep their slots by their place in the alphabet."""
    named = "\n".join(f'{chr(97 + place)} = "{stage.address}"' for place, stage in enumerate(servers) if stage)
    text = CONFIG.format(drain=drain, listener=listener, listeners=listeners, backend=backend, servers=named)
    return generation(configuration(text, directory), number)


async def test_accepting_pauses_at_the_limit_and_goes_on_below_it(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect, tmp_path: Path) -> None:
    simple()
    limited = replace(made(tmp_path, 2, stage), max_connections=2)
    rig.apply(limited)
    clients = [await connect() for _ in range(4)]
    for client in clients:
        client.writer.write(request("/", "Connection: close"))
    served = 0
    while served < 4:
        assert rig.plane.clients <= 2
        server = await stage.accept()
        await server.head()
        await server.send(answer(b"", "Connection: close"))
        served += 1
    for client in clients:
        await client.message()
    assert rig.ending("ok") == 4


async def test_a_reload_that_lifts_the_limit_lets_the_waiting_in(
        rig: Rig, simple: Simple, stage: Stage, connect: Connect, tmp_path: Path) -> None:
    simple()
    rig.apply(replace(made(tmp_path, 2, stage), max_connections=1))
    first = await connect()
    await rig.until(lambda: rig.plane.admission.paused)
    second = await connect()
    second.writer.write(request("/waits"))
    rig.apply(made(tmp_path, 3, stage))
    assert (await (await stage.accept()).head()).startswith(b"GET /waits ")
    rig.apply(replace(made(tmp_path, 4, stage), max_connections=1))
    assert rig.plane.admission.paused
    first.close()
    second.reset()
    await rig.until(lambda: not rig.plane.admission.paused)

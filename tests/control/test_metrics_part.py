"""The metrics server as a part of the generation: bound before the change, answering after it."""

import pytest

from lbd.control.metrics_part import MetricsPart
from lbd.errors import LbdError
from lbd.process.sockets import Sockets
from lbd.schema import Config, MetricsConfig
from lbd.schema.units import Address


class Daemon:
    """Nothing is asked of it here."""


def measured(port):
    return Config(metrics=MetricsConfig(bind=Address("127.0.0.1", port) if port >= 0 else None))


@pytest.fixture
async def part():
    part = MetricsPart(Sockets())
    part.bind(measured(0), Daemon(), None, None)
    await part.server.open()
    yield part
    if part.server is not None:
        await part.server.close()


async def test_the_same_address_keeps_its_server(part):
    before = part.server
    await part.stage(measured(0), measured(0))
    await part.commit()
    assert part.server is before


async def test_a_change_that_is_taken_back_keeps_the_old_server(part):
    before = part.server
    await part.stage(measured(0), Config(metrics=MetricsConfig(bind=Address("127.0.0.2", 0))))
    await part.rollback()
    assert part.server is before


async def test_another_address_and_none(part):
    elsewhere = Config(metrics=MetricsConfig(bind=Address("127.0.0.2", 0)))
    await part.stage(measured(0), elsewhere)
    await part.commit()
    assert part.server.address.host == "127.0.0.2"
    await part.stage(elsewhere, measured(-1))
    await part.commit()
    assert part.server is None


async def test_an_address_that_is_not_there_is_refused(part):
    with pytest.raises(LbdError, match=r"metrics\.bind"):
        await part.stage(measured(0), Config(metrics=MetricsConfig(bind=Address("192.0.2.1", 1))))

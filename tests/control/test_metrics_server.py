"""The metrics server: where it binds, and which ports it shares."""

import os

import pytest
from aiohttp import ClientSession

from lbd.control.metrics_server import bind_metrics_server
from lbd.errors import LbdError
from lbd.schema import Config, MetricsConfig
from lbd.schema.units import Address
from tests.control.daemon import LOCAL, Daemon


async def test_metrics_only_where_they_are_wanted():
    assert bind_metrics_server(Config(), Daemon()) is None
    server = bind_metrics_server(Config(metrics=MetricsConfig(bind=LOCAL)), Daemon())
    await server.open()
    await server.close()


@pytest.mark.parametrize(("before", "after"), [("127.0.0.1", "0.0.0.0"), ("0.0.0.0", "127.0.0.1"),
                                               ("127.0.0.1", "127.0.0.1"), ("::1", "::"), ("127.0.0.1", "::")])
async def test_metrics_take_a_port_beside_what_gives_it_up(before, after):
    server = bind_metrics_server(Config(metrics=MetricsConfig(bind=Address(before, 0))), Daemon())
    await server.open()
    wanted = Config(metrics=MetricsConfig(bind=Address(after, server.address.port)))
    if after != "::" or before == "::1":
        with pytest.raises(LbdError, match="lbd itself listens there"):
            bind_metrics_server(wanted, Daemon())
    other = bind_metrics_server(wanted, Daemon(), shared={server.address.port})
    await other.open()
    await server.close()
    place = Address("::1" if ":" in after else "127.0.0.1", server.address.port)
    async with ClientSession() as session, session.get(f"http://{place}/healthz") as answer:
        assert await answer.text() == "ok\n"
    await other.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives sockets away")
def test_a_port_that_root_bound_is_shared_with_the_user_that_lbd_becomes():
    server = bind_metrics_server(Config(metrics=MetricsConfig(bind=LOCAL)), Daemon(), (65534, 65534))
    about = os.fstat(server.sock.fileno())
    server.sock.close()
    assert (about.st_uid, about.st_gid) == (65534, 65534)


def test_a_refusal_names_the_key():
    with pytest.raises(LbdError, match=r"\(metrics\.bind\)"):
        bind_metrics_server(Config(metrics=MetricsConfig(bind=Address("192.0.2.1", 1))), Daemon())

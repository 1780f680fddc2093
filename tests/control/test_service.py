"""The service: what systemd is told of the daemon, and when the watchdog is fed."""

import socket
from types import SimpleNamespace

import pytest

from lbd.backend.snapshot import Endpoint, Generation
from lbd.control.service import Service
from lbd.process.sockets import Sockets
from lbd.schema import Config, ListenerConfig
from lbd.schema.units import Address

ENDPOINTS = {"app": (Endpoint("app", "a", Address("10.0.0.1", 80), 0),
                   Endpoint("app", "b", Address("10.0.0.2", 80), 1, health="down"))}


@pytest.fixture
def plane():
    serving = [SimpleNamespace(unanswered=0), SimpleNamespace(unanswered=9)]
    generation = Generation(7, Config(listeners={"web": ListenerConfig(bind=())}), ENDPOINTS, {}, {}, {})
    endpoints = [endpoint for group in ENDPOINTS.values() for endpoint in group]
    return SimpleNamespace(sockets=Sockets(), in_force=SimpleNamespace(generation=generation), list=serving,
                           fleet=SimpleNamespace(serving=lambda: serving),
                           servers=SimpleNamespace(all_endpoints=lambda config: endpoints))


def test_the_watchdog_is_fed_while_a_worker_answers(plane, monkeypatch, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "10000000")
        service = Service(plane)
        service.settled()
        assert manager.recv(4096) == b"READY=1\nSTATUS=1 listener, 1/2 servers up, generation 7"
        service.tick()
        assert manager.recv(4096) == b"WATCHDOG=1"
        for process in plane.list:
            process.unanswered = 9
        service.tick()
        service.reloading()
        assert manager.recv(4096).startswith(b"RELOADING=1")


def test_without_systemd_nothing_happens(plane, monkeypatch):
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    service = Service(plane)
    service.adopt(plane.in_force.generation.config)
    service.reloading()
    service.settled()
    service.tick()
    service.stopping(30.0)
    assert not plane.sockets.kept_elsewhere

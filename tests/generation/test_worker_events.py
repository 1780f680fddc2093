"""The events of workers: pipes for the new ones, a check for a server that one of them could not connect to."""

import os
from types import SimpleNamespace

from lbd.generation.worker_events import WorkerEvents
from lbd.workers.messages import LogTo


class Collector:
    """Gives out pipes."""

    def pipe(self):
        reader, writer = os.pipe()
        os.close(reader)
        return writer


class Servers:
    """Notes suspicions."""

    def __init__(self):
        self.suspected = []
        self.endpoints = SimpleNamespace(changes_since=lambda generation: ())

    def suspect(self, *server):
        self.suspected.append(server)


def test_a_new_worker_gets_its_pipes():
    sent, traced = [], []
    events = WorkerEvents(print, Servers(), Collector(), SimpleNamespace(give_pipe=traced.append))
    worker = SimpleNamespace(send=lambda message, fds: sent.append((message, os.fstat(fds[0]).st_size)))
    events.callbacks().on_worker_hello(worker)
    assert sent == [(LogTo(), 0)]
    assert traced == [worker]


def test_reports_are_passed_on():
    servers, mismatches = Servers(), []
    events = WorkerEvents(print, servers, Collector(), SimpleNamespace())
    callbacks = events.callbacks()
    callbacks.on_version_mismatch()
    events.on_version_mismatch = lambda: mismatches.append(1)
    callbacks.on_version_mismatch()
    callbacks.on_connect_failure("app", "a", "10.0.0.1:80")
    assert mismatches == [1]
    assert servers.suspected == [("app", "a", "10.0.0.1:80")]

"""How many connections follow from the descriptors."""

import resource

import pytest

from lbd.process import limits


@pytest.mark.parametrize(("files", "workers", "configured", "share"), [
    (10_200, 2, None, 5000),
    (10_200, 2, 1000, 500),
    (10_200, 3, 1000, 334),
    (10_200, 1, 1_000_000, 5000),
    (100, 1, None, 1),
])
def test_share_of_a_worker(files, workers, configured, share):
    assert limits.connections(files, workers, configured) == share


def test_the_soft_limit_is_raised():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(before[0], 512), before[1]))
        count = limits.raise_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == count >= 512
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.parametrize(("files", "workers", "configured", "told"), [
    (128, 2, None, {"descriptors": 128, "client_connections": 2, "max_connections": None}),
    (1024, 1, None, {"descriptors": 1024, "client_connections": 412, "max_connections": None}),
    (10_200, 2, 20_000, {"descriptors": 10_200, "client_connections": 10_000, "max_connections": 20_000}),
    (10_200, 2, None, None),
    (10_200, 2, 10_000, None),
    (1024, 1, 100, None),       # no more are wanted
    (resource.RLIM_INFINITY, 1, None, None),
])
def test_few_descriptors_are_warned_of(files, workers, configured, told, monkeypatch):
    said = []
    monkeypatch.setattr(limits.resource, "getrlimit", lambda which: (files, files))
    monkeypatch.setattr(limits.logger, "warning", lambda text, **facts: said.append(facts))
    limits.warn(workers, configured)
    assert [{**facts, "hint": ""} for facts in said] == ([{**told, "hint": ""}] if told else [])
    assert all("LimitNOFILE=" in facts["hint"] for facts in said)

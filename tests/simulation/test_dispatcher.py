"""lbd.simulation.dispatcher: timeouts, retries, stickiness, and requests without any server."""

from collections.abc import Callable

from lbd.simulation.engine import Engine

Run = Callable[..., Engine]


def test_requests_fail_at_the_timeout(run: Run) -> None:
    engine = run("round-robin", "100ms", slots=1, rate=1000.0, requests=100, tail=0.0, timeout=0.55)
    assert (len(engine.results.taken), engine.results.failed) == (5, 95)


def test_repeats_hide_a_dead_server(run: Run) -> None:
    engine = run("round-robin", "5ms,5ms", (("dies", "b@50%"),), requests=10_000, writes=0.0)
    assert engine.results.failed == 0


def test_without_any_server_requests_fail_and_the_run_ends(run: Run) -> None:
    for load in ({"rate": 1000.0}, {"rate": 0.0, "concurrency": 20}):
        engine = run("least-connections", "5ms", (("dies", "a@0%"),), requests=2000, **load)
        assert (len(engine.results.taken), engine.results.failed) == (0, 2000)


def test_clients_stay_with_their_servers(run: Run) -> None:
    engine = run("sticky-round-robin", "5ms,5ms,5ms", clients=30, requests=3000)
    homes = engine.dispatcher.homes
    assert len(homes) == 30
    again = run("sticky-round-robin", "5ms,5ms,5ms", clients=30, requests=3000)
    assert again.dispatcher.homes == homes
    moved = run("sticky-round-robin", "5ms,5ms,5ms", (("dies", "c@10%"),), clients=30, requests=3000)
    assert set(moved.dispatcher.homes.values()) == {"a", "b"}

"""lbd.simulation.advice: the choice, and its reasons in words."""

from dataclasses import replace

import pytest

from lbd.simulation.advice import advise, factor, percent, ranked, span
from lbd.simulation.figures import AlgorithmFigures

EQUAL = {"a": 0.5, "b": 0.5}


def one(algorithm: str, p99: float | None, mean: float | None = 0.01, failed: int = 0,
        **more: object) -> AlgorithmFigures:
    found = AlgorithmFigures(algorithm, 10_000, failed, mean, mean, p99, p99, 10.0, EQUAL, {"a": 0.5, "b": 0.5}, [])
    return replace(found, **more)  # type: ignore[arg-type]


def test_the_order() -> None:
    found = [one("random", 0.1), one("first", 0.05, failed=2000), one("least-time", 0.03), one("maglev", None, None),
             one("round-robin", 0.0301, mean=0.02), one("least-connections", 0.0302)]
    assert [figures.algorithm for figures in ranked(found)] == [
        "least-connections", "least-time", "round-robin", "random", "maglev", "first"]


def test_a_gain_and_where_it_comes_from() -> None:
    now = one("weighted-round-robin", 1.0, shares={"a": 0.5, "b": 0.5}, busy={"a": 0.2, "b": 0.999})
    best = one("least-time", 0.05, shares={"a": 0.9, "b": 0.1}, busy={"a": 0.5, "b": 0.4})
    advice = advise([now, best], "weighted-round-robin")
    assert advice.algorithm == "least-time"
    assert str(advice) == (
        "p99 50.0 ms, against p99 1.00 s of weighted-round-robin: 20 times less. weighted-round-robin gives b 50 % of "
        "the requests, more than it can answer; least-time gives it 10 %.")
    assert advise([now, best], "weighted-round-robin", fair="a 9, b 1").reasons[-1] == (
        "Weights that fit the speeds would help what goes by weight: a 9, b 1.")
    assert "It gives b 10 % of the requests instead of 50 %." in advise([now, best], now.algorithm, False).reasons


def test_fewer_failures_count_more() -> None:
    advice = advise([one("round-robin", 0.01, failed=900), one("least-time", 0.02)], "round-robin")
    assert advice.reasons[0] == (
        "p99 20.0 ms, against p99 10.0 ms and 9 % failed of round-robin; 900 fewer of 10,000 requests fail.")


def test_no_reason_to_change() -> None:
    advice = advise([one("weighted-round-robin", 0.0104), one("least-time", 0.01)], "weighted-round-robin")
    assert (advice.algorithm, str(advice)) == (
        "weighted-round-robin", "p99 10.4 ms; no other is better by more than 5 %, so there is no reason to change.")


def test_the_same_but_simpler_and_a_better_mean() -> None:
    advice = advise([one("weighted-round-robin", 0.01), one("least-time", 0.01)], "least-time")
    assert str(advice) == (
        "p99 10.0 ms, against p99 10.0 ms of least-time: no difference that matters, and it is simpler.")
    advice = advise([one("random", 0.01, mean=0.005), one("first", 0.01, mean=0.01)], "first")
    assert advice.reasons[0].endswith("; the mean is 2.0 times less.")


def test_what_keeps_clients_is_told_apart() -> None:
    found = [one("round-robin", 0.1), one("source-ip-hash", 0.05), one("maglev", 0.07), one("url-hash", 0.09)]
    advice = advise(found, "round-robin")
    assert advice.algorithm == "round-robin"
    assert list(advice.reasons[1:]) == ["To keep a client on its server: source-ip-hash, p99 50.0 ms.",
                                        "To keep a URL on its server: maglev, p99 70.0 ms."]
    assert advise(found[1:], "round-robin").algorithm == "source-ip-hash"


def test_nothing_to_compare_and_nothing_that_helps() -> None:
    full = {"a": 0.99, "b": 1.0}
    advice = advise([one("random", None, None, failed=10_000, busy=full)], "round-robin")
    assert str(advice) == ("no answer at all; nothing was compared with it. No algorithm can help for long, though: "
                           "every server is overloaded.")
    assert len(advise([one("random", 0.1, busy=full)], "random", open_loop=False).reasons) == 1


@pytest.mark.parametrize(("seconds", "text"), [
    (0.0001234, "0.12 ms"), (0.00999, "9.99 ms"), (0.0123, "12.3 ms"), (0.4567, "457 ms"), (0.9996, "1.00 s"),
    (59.96, "60.0 s"), (1234.5, "1,234 s")])
def test_spans(seconds: float, text: str) -> None:
    assert span(seconds) == text


def test_shares_and_factors() -> None:
    assert [percent(share) for share in (0, 0.0001, 0.004, 0.0999, 0.5)] == ["0 %", "<0.1 %", "0.4 %", "10 %", "50 %"]
    assert [factor(value) for value in (1.25, 2.0, 758.6)] == ["20 %", "2.0 times", "759 times"]

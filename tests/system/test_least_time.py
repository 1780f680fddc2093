"""least-time in the real daemon with two workers: the fast server gets most, a slow one that recovers its share, and
the figures that are exported are those that were decided on."""

import re
import time

import pytest
from lbd_process import Lbd, until
from load import Load
from wicked import Wicked

DECAY = 1.0      # seconds
FAST, MIDDLE, SLOW = 0.005, 0.02, 0.08
TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
algorithm = { name = "least-time", decay = "1s", measure = "%s" }
servers = { fast = "127.0.0.1:%d", middle = "127.0.0.1:%d", slow = "127.0.0.1:%d" }
"""


def figures(lbd, name):
    """A figure of each server, by its name."""
    found = re.findall(rf'^{name}{{backend="app",server="(\w+)"}} (\S+)$', lbd.metrics(), re.MULTILINE)
    return {server: float(value) for server, value in found}


class Shares:
    """Of the requests since it was made, each server's share."""

    def __init__(self, servers):
        self.servers = servers
        self.before = [server.got.total() for server in servers]

    def count(self):
        return sum(server.got.total() for server in self.servers) - sum(self.before)

    def all(self):
        got = [server.got.total() - before for server, before in zip(self.servers, self.before, strict=True)]
        return [one / max(sum(got), 1) for one in got]


def shares(servers, count):
    """Of the next so many requests."""
    seen = Shares(servers)
    until(lambda: seen.count() >= count, "requests")
    return seen.all()


@pytest.mark.slow
@pytest.mark.parametrize("measure", ["header", "last-byte"])
def test_a_slow_server_that_recovers_has_its_share_within_three_times_the_decay(measure):
    with Wicked(seconds=FAST) as fast, Wicked(seconds=MIDDLE) as middle, Wicked(seconds=SLOW) as slow:
        servers = [fast, middle, slow]
        with (Lbd(TEXT % (measure, *(server.port for server in servers))) as lbd,
              Load(lbd.port("web"), connections=8) as load):
            seen = Shares(servers)
            until(lambda: seen.count() > 500 and slow.got.total() > 3, "a steady load, with a trickle for the slow one")
            before = shares(servers, 500)
            assert before[0] > 0.6, before
            assert before[0] > 2 * before[1] > 2 * before[2], before
            latency = figures(lbd, "lbd_server_latency_seconds")
            assert FAST <= latency["fast"] < latency["middle"] < latency["slow"]
            slow.seconds = FAST
            began = time.monotonic()
            until(lambda: shares(servers, 100)[2] > 0.3, "half as many for it as for the other fast one",
                  deadline=3 * DECAY)
            took = time.monotonic() - began
            after = shares(servers, 500)
        assert load.lost == load.refused == 0
        assert set(load.answered) == {200}
    print(f"\n{measure}: fast, middle, slow got {before[0]:.0%}, {before[1]:.0%}, {before[2]:.1%}; "
          f"{took:.1f} s after the slow one became fast {after[0]:.0%}, {after[1]:.0%}, {after[2]:.0%}")


def test_what_is_exported_is_what_was_decided_on():
    with (Wicked(seconds=FAST) as fast, Wicked(seconds=MIDDLE) as middle, Wicked(seconds=SLOW) as slow,
          Lbd(TEXT % ("header", fast.port, middle.port, slow.port)) as lbd):
        servers = {"fast": fast, "middle": middle, "slow": slow}
        for _ in range(40):
            until(lambda: not any(figures(lbd, "lbd_server_in_flight").values()), "the last request is counted as over")
            score, latency = (figures(lbd, f"lbd_server_{name}_seconds") for name in ("score", "latency"))
            assert all(score[name] <= latency[name] * 1.0001 for name in latency)
            before = {name: server.got.total() for name, server in servers.items()}
            assert lbd.get("web")[0] == 200
            (chosen,) = [name for name, server in servers.items() if server.got.total() > before[name]]
            assert score[chosen] == min(score.values()), (chosen, score)
        assert fast.got.total() > 30

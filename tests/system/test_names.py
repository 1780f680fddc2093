"""Host names of servers on the real daemon, in a network of its own with a DNS server of the test."""

import pytest
from lbd_process import Lbd, Unix, until

from tests.system.namespace import namespace

CONFIG = """
[listeners.web]
bind = "unix:$dir/web.sock"
backend = "app"
[backends.app]
resolve = "60s"
%s
[backends.app.servers]
%s
"""


@pytest.fixture
def net():
    with namespace() as made:
        yield made


def text(net, servers, settings="", more=""):
    listed = "\n".join(f'{name} = "{address}"' for name, address in servers.items())
    return CONFIG.replace("$dir", str(net.path)) % (settings, listed) + more


def dead(count):
    """Backends whose names nobody answers for."""
    listed = "\n".join(f'd{number} = "dead{number}.example:80"' for number in range(count))
    return f"[backends.bad.servers]\n{listed}\n"


def daemon(net, config, **more):
    return Lbd(config, workers=1, settings='drain_timeout = "2s"', prefix=net.prefix, namespaces=net.pid,
               **more)


def get(net):
    """Status and body of one request."""
    connection = Unix(f"{net.path}/web.sock")
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def server(lbd, name="a"):
    return lbd.status()["backends"]["app"]["servers"][name]


def zone(address, ttl=1, **more):
    silent = {f"dead{number}.example": {"silent": True} for number in range(40)}
    return {"app.test": {"A": [address], "ttl": ttl}, **silent, **more}


@pytest.mark.slow
def test_dead_names_hold_up_no_other(net):
    """Neither its look-ups, nor a start, a plan, a reload or the end."""
    net.zone(zone("127.0.0.2"))
    net.dns()
    net.serve("127.0.0.2", 9001)
    net.serve("127.0.0.3", 9001)
    config = text(net, {"a": "app.test:9001"}, more=dead(20))
    with daemon(net, config) as lbd:
        assert get(net) == (200, "127.0.0.2")
        net.zone(zone("127.0.0.3"))
        until(lambda: get(net) == (200, "127.0.0.3"), "the new address")
        assert server(lbd)["lookup_failure"] == ""
        lost = lbd.status()["backends"]["bad"]["servers"]["d0"]
        assert lost["health"] == "down"
        assert lost["reason"].startswith("dead0.example is not resolved")
        assert lbd.admin("POST", "/v1/plan")[0] == 200
        assert lbd.admin("POST", "/v1/reload")[0] == 200
        lbd.write(text(net, {"a": "app.test:9001"}, more=dead(30)))
        assert lbd.admin("POST", "/v1/reload")[0] == 200
        assert lbd.stop() == 0      # within 20 s, where threads that are waited for would take 40


def test_a_name_that_cannot_be_resolved_yet_comes_later(net):
    net.zone(zone("127.0.0.2"))
    net.serve("127.0.0.2", 9001)
    with daemon(net, text(net, {"a": "app.test:9001"})) as lbd:
        assert get(net)[0] == 503
        assert server(lbd)["reason"] == "app.test is not resolved: 127.0.0.1: connection refused"
        net.dns()
        until(lambda: get(net) == (200, "127.0.0.2"), "the server")


def test_what_resolv_conf_says_now_counts(net):
    """The first server is silent, the second one answers; then another file, with a suffix to be searched."""
    net.zone(zone("127.0.0.2", **{"db.corp.test": {"A": ["127.0.0.2"]}}))
    net.dns("127.0.0.54")
    net.serve("127.0.0.2", 9001)
    net.resolv("nameserver 192.0.2.1\nnameserver 127.0.0.54\noptions timeout:1")
    with daemon(net, text(net, {"a": "app.test:9001", "b": "db:9001"})) as lbd:
        until(lambda: server(lbd)["health"] == "up", "the second name server")
        assert server(lbd, "b")["reason"] == "db is not resolved: no such name"
        net.resolv("nameserver 127.0.0.54\nsearch corp.test")
        until(lambda: server(lbd, "b")["health"] == "up", "the name with its suffix")
        assert server(lbd, "b")["address"] == "127.0.0.2:9001"


@pytest.mark.parametrize("settings", ["", 'health = { type = "tcp", interval = "100ms", fall = 1 }\nmax_conns = 9',
                                      "sticky = {}"])
def test_a_server_is_at_whichever_of_its_addresses_works(net, settings):
    """In the order of the hosts file, where the first one is closed; and again when the other one ends."""
    settings, _, most = settings.partition("\nmax_conns = ")
    net.hosts("::1 app.test\n127.0.0.1 app.test\n")
    net.serve("127.0.0.1", 9001)
    place = f'{{ address = "app.test:9001", max_conns = {most} }}' if most else '"app.test:9001"'
    config = text(net, {}, settings) + f"a = {place}\n"
    with daemon(net, config) as lbd:
        until(lambda: get(net) == (200, "127.0.0.1"), "the other address")
        found = server(lbd)
        assert (found["address"], found["host"], found["addresses"]) == (
            "127.0.0.1:9001", "app.test", ["::1", "127.0.0.1"])
        assert lbd.admin("POST", "/v1/reload")[0] == 200
        assert get(net) == (200, "127.0.0.1")        # it stays there
        net.serve("::1", 9001)
        assert get(net) == (200, "127.0.0.1")
        net.end("127.0.0.1")
        until(lambda: get(net) == (200, "::1"), "the first address")


def test_a_name_without_any_answer_keeps_the_last_one_and_says_so(net):
    net.zone(zone("127.0.0.2"))
    net.dns()
    net.serve("127.0.0.2", 9001)
    with daemon(net, text(net, {"a": "app.test:9001"})) as lbd:
        assert get(net) == (200, "127.0.0.2")
        net.zone({})
        until(lambda: server(lbd)["lookup_failure"] == "no such name", "the reason")
        assert get(net) == (200, "127.0.0.2")


def test_the_host_that_a_policy_checks_is_looked_up_like_any_other(net):
    net.zone(zone("127.0.0.2", **{"dead.example": {"silent": True}}))
    net.dns()
    net.serve("127.0.0.2", 9001)
    policy = 'health = { type = "http", address = "%s", interval = "100ms" }'
    with daemon(net, text(net, {"a": "127.0.0.2:9001"}, policy % "app.test")) as lbd:
        assert get(net) == (200, "127.0.0.2")
        assert server(lbd)["health"] == "up"
        lbd.write(text(net, {"a": "127.0.0.2:9001"}, policy % "dead.example"))
        assert lbd.admin("POST", "/v1/reload?force=true")[0] == 200
        until(lambda: server(lbd)["health"] == "down", "a host without an address")
        assert "dead.example is not resolved" in server(lbd)["reason"]
        assert lbd.stop() == 0

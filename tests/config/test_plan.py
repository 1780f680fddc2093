"""lbd.config.plan: what is compared by name, and the class of each change."""

import json

import pytest

from lbd.config.plan import compare

BASE = """\
[timeouts]
server = "60s"
[health.web]
type = "http"
[listeners.web]
bind = "127.0.0.1:8080"
backend = "app"
[[listeners.web.routes]]
path = "/a"
backend = "app"
[[listeners.web.routes]]
path = "/b"
backend = "other"
[backends.app]
health = "web"
servers = { a = "10.0.0.1:80", b = "10.0.0.2:80" }
[backends.other]
servers = { a = "10.0.0.3:80" }
"""

CASES = [
    ('a = "10.0.0.1:80", b', 'a = { address = "10.0.0.1:80", weight = 3 }, b',
     ["backends.app.servers.a changed (live): weight: 1 -> 3"]),
    ('"10.0.0.2:80" }', '"10.0.0.2:80", c = "10.0.0.9:80" }', ["backends.app.servers.c added (add): 10.0.0.9:80"]),
    (', b = "10.0.0.2:80"', "", ["backends.app.servers.b removed (drain): 10.0.0.2:80"]),
    ("10.0.0.2:80", "10.0.0.7:80",
     ['backends.app.servers.b changed (drain): address: "10.0.0.2:80" -> "10.0.0.7:80"']),
    ('server = "60s"', 'server = "5s"', ['timeouts changed (live): server: "1m" -> "5s"']),
    ('type = "http"', 'type = "http"\npath = "/up"\ninterval = "250ms"',
     ['health.web changed (live): interval: "2s" -> "250ms"; path: "/" -> "/up"']),
    ('8080"', '8081"', ['listeners.web changed (rebind): bind: ["127.0.0.1:8080"] -> ["127.0.0.1:8081"]']),
    ('health = "web"', 'algorithm = "round-robin"', [
        'backends.app changed (live): algorithm: "weighted-round-robin" -> "round-robin"; health: "web" -> not set']),
    ('path = "/b"', 'path = "/c"', ['listeners.web.routes[1] changed (live): path: "/b" -> "/c"']),
    ("[timeouts]", '[global]\nuser = "nobody"\nworkers = 2\n[timeouts]', [
        'global changed (restart): workers: "auto" -> 2; user: not set -> "nobody"']),
    ("[backends.other]", '[listeners.more]\nbind = "127.0.0.1:9"\nbackend = "app"\n[backends.other]',
     ["listeners.more added (add): 127.0.0.1:9"]),
    ("[timeouts]", '[global]\nsticky_secret = "abcdefghijklmnopqrstuvwxyz"\n[timeouts]',
     ['global changed (live): sticky_secret: not set -> "(hidden)"']),
]


@pytest.mark.parametrize(("before", "after", "changes"), CASES)
def test_changes(directory, before, after, changes):
    old = directory.read(BASE).config
    assert before in BASE
    new = directory.read(BASE.replace(before, after)).config
    plan = compare(old, new)
    assert [str(change) for change in plan.changes] == changes
    assert compare(new, new).changes == ()
    json.dumps(plan.data())


def test_a_backend_goes_with_its_route(directory):
    old = directory.read(BASE).config
    start = BASE.index('[[listeners.web.routes]]\npath = "/b"')
    text = BASE[:start] + BASE[BASE.index("[backends.app]"):BASE.index("[backends.other]")]
    plan = compare(old, directory.read(text).config)
    assert [str(change) for change in plan.changes] == [
        'listeners.web.routes[1] removed (live): path "/b", -> other',
        "backends.other removed (drain): 1 server, weighted-round-robin"]
    assert plan.summary() == "1 route removed, 1 backend removed"
    assert compare(old, old).summary() == "no changes"


def test_what_needs_a_restart(directory):
    old = directory.read(BASE).config
    new = directory.read('[admin]\nbind = "unix:/tmp/other.sock"\n' + BASE).config
    assert compare(old, new).restart == ("admin.bind",)
    directory.write("a.pem", "x")
    tcp = '[admin]\nbind = "127.0.0.1:1"\ntoken_file = "a.pem"\ntls = { cert = "a.pem" }\n'
    new = directory.read(tcp + BASE).config
    assert set(compare(old, new).restart) == {"admin.bind", "admin.token_file", "admin.tls"}


def test_a_moved_route_says_so(directory):
    old = directory.read(BASE).config
    first, second = ('[[listeners.web.routes]]\npath = "/a"\nbackend = "app"\n',
                     '[[listeners.web.routes]]\npath = "/b"\nbackend = "other"\n')
    new = directory.read(BASE.replace(first + second, second + first)).config
    assert sorted(change.what for change in compare(old, new).changes) == ["added", "removed"]
    assert any("it moves" in change.about for change in compare(old, new).changes)

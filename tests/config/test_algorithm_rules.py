"""Tests of lbd.config.algorithm_rules: settings that an algorithm takes no notice of, and keys that it lacks."""

from tests.config.conftest import WHOLE, Directory


def test_weights_without_meaning(directory: Directory) -> None:
    text = "[backends.app]\nalgorithm = 'round-robin'\n" + WHOLE + "b = { address = '10.0.0.2:80', weight = 0 }\n"
    assert directory.warnings(text) == [
        "lbd.toml:8:32: backends.app.servers.b.weight: round-robin takes no notice of weights"]


def test_slow_start_without_meaning(directory: Directory) -> None:
    text = "[backends.app]\nalgorithm = 'round-robin'\nslow_start = '30s'\n" + WHOLE
    assert directory.warnings(text) == [
        "lbd.toml:3:1: backends.app.slow_start: has no effect with round-robin"]


def test_a_tcp_listener_sees_no_requests(directory: Directory) -> None:
    text = ("[listeners.db]\nbind = '*:81'\nmode = 'tcp'\nbackend = 'db'\n[[listeners.db.routes]]\npath = '/x'\n"
            "backend = 'db'\n[backends.db]\nalgorithm = { name = 'consistent-hash', key = 'url' }\n"
            "servers = { a = '10.0.0.9:1' }\n")
    assert directory.errors(text + WHOLE) == [
        'lbd.toml:6:1: listeners.db.routes[0].path: a tcp listener sees no requests, only sni and alpn of TLS clients',
        'lbd.toml:9:1: backends.db.algorithm: the tcp listener "db" uses this backend and has no requests to hash; '
        'hash by "source" instead',
    ]

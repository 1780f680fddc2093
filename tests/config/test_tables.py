"""Tests of lbd.config.tables: strict reading, defaults, overriding timeouts, and keys that have no effect yet."""

from dataclasses import dataclass

import pytest

from lbd.schema import HealthPolicy, Outlier, ServerConfig, Sticky, Timeouts, key
from lbd.schema import units as u
from lbd.schema.units import Address
from tests.config.conftest import CHECKS, WHOLE, Directory, Http, Traits, cases


@pytest.mark.parametrize(("text", "error"), cases("wrong_tables.txt"))
def test_what_is_wrong(directory: Directory, text: str, error: str) -> None:
    assert directory.errors(f"{text}\n{WHOLE}") == [f"lbd.toml:{one}" for one in error.split("\n=> ")]


def test_servers_that_are_no_table(directory: Directory) -> None:
    text = WHOLE.replace('a = "10.0.0.1:80"', "a = 1\nb = 'x'\nc = []")
    address = "must be HOST:PORT, [IPv6]:PORT, unix:/PATH, unix:@NAME or https://HOST:PORT"
    assert directory.errors(text) == [
        "lbd.toml:5:1: backends.app.servers.a: 1 is an integer; must be an address or a table",
        f'lbd.toml:6:1: backends.app.servers.b: "x" has no port; {address}',
        "lbd.toml:7:1: backends.app.servers.c: an array stands here; must be an address or a table",
    ]


def test_servers_as_an_array_are_shown_how(directory: Directory) -> None:
    text = WHOLE.replace("[backends.app.servers]", "[backends.app]").replace("a = ", "servers = ['x']  # ")
    assert directory.errors(text) == [
        'lbd.toml:5:1: backends.app.servers: an array stands here; must be a table: NAME = "HOST:PORT" for each']


@pytest.mark.parametrize(("key", "section"), [("sticky", Sticky()), ("outlier", Outlier())])
def test_true_stands_for_the_defaults(directory: Directory, key: str, section: object) -> None:
    text = WHOLE.replace("[backends.app.servers]", f"[backends.app]\n{key} = true\n[backends.app.servers]")
    assert getattr(directory.read(text).config.backends["app"], key) == section
    assert getattr(directory.read(text.replace("true", "false")).config.backends["app"], key) is None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The keys of a check of which one has no effect yet."""

    words: str = key("", u.TEXT, "read, and that is all", later=True)


def test_keys_without_effect_yet(directory: Directory) -> None:
    directory.checks = {**CHECKS, "http": Traits(Unfinished)}
    text = "[health.web]\nwords = 'x'\n[backends.app]\nhealth = 'web'\n"
    assert directory.warnings(text + WHOLE) == ["lbd.toml:2:1: health.web.words: has no effect yet"]


def test_keys_without_effect_are_checked_in_full(directory: Directory) -> None:
    directory.checks = {**CHECKS, "http": Traits(Unfinished)}
    assert directory.errors("[health.web]\nwords = 1\n" + WHOLE) == [
        "lbd.toml:2:1: health.web.words: 1 is an integer; must be a string"]


def test_timeouts_override_single_keys(directory: Directory) -> None:
    config = directory.read("[timeouts]\nconnect = '1s'\nserver = '2s'\n[backends.app.timeouts]\nserver = '3s'\n"
                            "[backends.b.servers]\na = '10.0.0.9:80'\n" + WHOLE).config
    assert config.timeouts == Timeouts(connect=1.0, server=2.0)
    assert config.backends["app"].timeouts == Timeouts(connect=1.0, server=3.0)
    assert config.backends["b"].timeouts == config.timeouts
    assert config.listeners["web"].timeouts == config.timeouts


def test_servers(directory: Directory) -> None:
    text = WHOLE + 'b = { address = "api.internal:9000", weight = 2, backup = true }\n'
    assert directory.read(text).config.backends["app"].servers == {
        "a": ServerConfig(Address("10.0.0.1", 80)),
        "b": ServerConfig(Address("api.internal", 9000), weight=2, backup=True)}


def test_health_by_name_and_in_place(directory: Directory) -> None:
    policy = "{ type = 'http', path = '/ok', interval = '1s' }"
    config = directory.read(f"health.web = {policy}\n[backends.app]\nhealth = 'web'\n"
                            f"[backends.b]\nhealth = {policy}\nservers.a = '10.0.0.9:80'\n" + WHOLE).config
    wanted = HealthPolicy(interval=1.0, options=Http("/ok"))
    assert [config.health["web"], config.backends["app"].health, config.backends["b"].health] == [wanted] * 3


def test_a_timeout_longer_than_the_interval(directory: Directory) -> None:
    text = "[health.web]\ninterval = '1s'\ntimeout = '1500ms'\n[backends.app]\nhealth = { interval = '500ms' }\n"
    said = "checks will follow one another late"
    assert directory.warnings(text + WHOLE) == [
        f"lbd.toml:3:1: health.web.timeout: the timeout of 1500ms is longer than the interval of 1s: {said}",
        f"lbd.toml:5:1: backends.app.health: the timeout of 1s is longer than the interval of 500ms: {said}",
    ]


def test_routes_are_read_in_order(directory: Directory) -> None:
    routes = "".join(f"[[listeners.web.routes]]\npath = '/{at}'\nrespond = {{ body = '{at}' }}\n" for at in range(3))
    config = directory.read(WHOLE + routes).config
    assert [(route.path, route.respond.body if route.respond else "") for route in config.listeners["web"].routes] == [
        ("/0", "0"), ("/1", "1"), ("/2", "2")]


@pytest.mark.parametrize(("written", "most"), [("true", 1000), ("false", None), ("{ most = 5 }", 5), ("{}", 1000)])
def test_registration_is_a_switch_or_a_table(directory: Directory, written: str, most: int | None) -> None:
    text = WHOLE.replace("[backends.app.servers]", f"[backends.app]\nregistration = {written}\n[backends.app.servers]")
    policy = directory.read(text).config.backends["app"].registration
    assert (policy.most if policy is not None else None) == most

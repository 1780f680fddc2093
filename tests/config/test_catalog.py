"""Tests of lbd.config.catalog: algorithms and checks that exist, those that do not, and the command line."""

from dataclasses import replace

from lbd.config.reader import CommandLine
from lbd.schema import AlgorithmConfig
from tests.config.conftest import WHOLE, Directory, Ring, Tcp

HERE = '"round-robin", "weighted-round-robin", "least-connections" or "consistent-hash"'


def app(directory: Directory, keys: str, command_line: CommandLine | None = None) -> list[str]:
    return directory.errors(f"[backends.app]\n{keys}\n" + WHOLE, command_line)


def test_algorithm_by_name(directory: Directory) -> None:
    config = directory.read("[backends.app]\nalgorithm = 'least-connections'\n" + WHOLE).config
    assert config.backends["app"].algorithm == AlgorithmConfig("least-connections")


def test_algorithm_with_options(directory: Directory) -> None:
    config = directory.read("[backends.app]\nalgorithm = { name = 'consistent-hash', key = 'url' }\n" + WHOLE).config
    assert config.backends["app"].algorithm == AlgorithmConfig("consistent-hash", Ring("url"))


def test_the_default_algorithm(directory: Directory) -> None:
    assert directory.read(WHOLE).config.backends["app"].algorithm == AlgorithmConfig("weighted-round-robin")


def test_algorithms_that_are_refused(directory: Directory) -> None:
    place = "lbd.toml:2:1: backends.app.algorithm: "
    assert app(directory, "algorithm = 'maglev'") == [f'{place}"maglev" is no algorithm; must be {HERE}']
    assert app(directory, "algorithm = 'least-conections'") == [
        f'{place}"least-conections" is no algorithm; must be {HERE}; did you mean "least-connections"?']
    assert app(directory, "algorithm = 5") == [f"{place}5 is an integer; must be the name of an algorithm"]
    assert app(directory, "algorithm = {}") == [f'{place}the key "name" is missing']
    assert app(directory, "algorithm = 'consistent-hash'") == [
        f'{place}the key "key", "url" or "source", is missing']
    assert app(directory, "algorithm = { name = 'round-robin', key = 'url' }") == [
        'lbd.toml:2:37: backends.app.algorithm.key: unknown key; "round-robin" has no options']
    assert app(directory, "algorithm = { name = 'consistent-hash', key = 'x', factr = 2.0 }") == [
        'lbd.toml:2:41: backends.app.algorithm.key: "x" is not known; must be "url" or "source"',
        'lbd.toml:2:52: backends.app.algorithm.factr: unknown key; did you mean "factor"?']


def test_algorithms_of_the_operator(directory: Directory) -> None:
    assert app(directory, "algorithm = 'pkg.mod:Class'") == []


def test_checks_that_are_refused(directory: Directory) -> None:
    assert app(directory, "health = { type = 'exec', command = 'x' }") == [
        'lbd.toml:2:12: backends.app.health.type: "exec" is no kind of check; must be "http" or "tcp"']
    assert app(directory, "health = { type = 'htp' }") == [
        'lbd.toml:2:12: backends.app.health.type: "htp" is no kind of check; must be "http" or "tcp"; did you mean '
        '"http"?']


def test_the_command_line(directory: Directory) -> None:
    text = ("[health.a]\ninterval = '9s'\npath = '/a'\n[health.b]\ntype = 'tcp'\n"
            "[backends.x]\nalgorithm = 'round-robin'\n"
            "health = { path = '/x' }\nservers.a = '10.0.0.9:80'\n") + WHOLE
    config = directory.read(text, CommandLine("least-connections", 5.0, "/ok")).config
    assert [config.backends[name].algorithm.name for name in ("app", "x")] == ["least-connections", "round-robin"]
    inline = config.backends["x"].health
    assert inline is not None
    assert not isinstance(inline, str)
    policies = [config.health["a"], config.health["b"], inline]
    assert [policy.interval for policy in policies] == [5.0, 5.0, 5.0]
    assert [policy.options for policy in policies] == [
        replace(config.health["a"].options, path="/ok"), Tcp(), replace(inline.options, path="/ok")]
    assert config.health["a"].options.path == "/ok"


def test_options_that_are_wrong(directory: Directory) -> None:
    assert app(directory, "", CommandLine("maglev", 0.0, "ok")) == [
        f'command line: --algorithm: "maglev" is no algorithm; must be {HERE}',
        "command line: --health-interval: 0s is too short; must be at least 10ms",
        'command line: --health-path: "ok" does not begin with "/"; must be a path that begins with "/", a query after '
        "it if wanted",
    ]

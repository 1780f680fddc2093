"""Tests of lbd.config.reader: whole configurations, with all their mistakes at once, from files and from options."""

import pickle
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lbd.config.reader import CommandLine, Loaded, read_file, read_options
from lbd.errors import ConfigError
from lbd.schema import AlgorithmConfig, Config
from lbd.schema.units import Address
from tests.config.conftest import ALGORITHMS, CHECKS, WHOLE, Directory, Http, Tcp

EIGHT = """\
[global]
workers = 100                        # too many
[listeners.web]
bind = "0.0.0.0:80"
backend = "ap"                       # mistyped name
[[listeners.web.routes]]
path_prefx = "/v1/"                  # mistyped key
backend = "app"
[health.web]
interval = 2                         # no unit
[backends.app]
algorithm = "least-conn"             # mistyped name
health = "wed"                       # mistyped name
servers = { a = "10.0.0.1", b = { address = "10.0.0.2:80", weight = "2" } }  # no port; a string
"""


def test_eight_mistakes_at_once(directory: Directory) -> None:
    errors = directory.errors(EIGHT)
    assert [error.split(": ")[:2] for error in errors] == [
        ["lbd.toml:2:1", "global.workers"],
        ["lbd.toml:5:1", "listeners.web.backend"],
        ["lbd.toml:7:1", "listeners.web.routes[0].path_prefx"],
        ["lbd.toml:10:1", "health.web.interval"],
        ["lbd.toml:12:1", "backends.app.algorithm"],
        ["lbd.toml:13:1", "backends.app.health"],
        ["lbd.toml:14:13", "backends.app.servers.a"],
        ["lbd.toml:14:60", "backends.app.servers.b.weight"],
    ]


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match=r"^/none/lbd.toml: cannot be read: No such file or directory$") as error:
        read_file("/none/lbd.toml", ALGORITHMS, CHECKS)
    assert error.value.files == ("/none/lbd.toml",)


def test_what_a_broken_configuration_was_made_of_is_known(directory: Directory) -> None:
    directory.write("a.toml", "x")
    directory.write("lbd.toml", 'include = ["a.toml", "*.x"]\n')
    with pytest.raises(ConfigError) as error:
        directory.read()
    assert error.value.files == tuple(str(directory.path / name) for name in ("lbd.toml", "a.toml", "*.x"))


def test_a_configuration_can_be_sent_to_workers(directory: Directory) -> None:
    text = "[backends.app]\nhealth = { path = '/ok' }\nalgorithm = { name = 'consistent-hash', key = 'url' }\n" + WHOLE
    config = directory.read(text).config
    assert pickle.loads(pickle.dumps(config)) == config


LINES = st.lists(st.sampled_from([*EIGHT.splitlines(), *WHOLE.splitlines(), "[[listeners.web.routes]]", "health = {}",
                                  "bind = []", "servers = []", "[backends]", "app = 5", "routes = [[]]", "include = 5",
                                  "algorithm = {}", "timeouts = 3", "[backends.app.servers]", "a = {}", "name = 1",
                                  'bind = "*:80"', "tls = 1", "[errors]", "503 = 5", "header = { a = 1 }"]),
                 max_size=12)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES)
def test_nothing_but_findings_comes_of_bad_files(directory: Directory, lines: list[str]) -> None:
    for error in directory.errors("\n".join(lines)):
        assert error.startswith("lbd.toml")
        assert "\n" not in error


def options(*listen: str, servers: tuple[str, ...] = ("10.0.0.1:80",), **more: object) -> Loaded:
    return read_options(listen, servers, ALGORITHMS, CHECKS, **more)  # type: ignore[arg-type]


def test_options_are_what_a_file_would_say(directory: Directory) -> None:
    text = ("[listeners.web]\nbind = '127.0.0.1:8080'\nbackend = 'app'\n"
            "[backends.app]\nalgorithm = 'least-connections'\nhealth = { path = '/ok', interval = '5s' }\n"
            "servers = { s1 = '10.0.0.1:80', s2 = 'b.internal:81' }\n")
    from_file = directory.read(text).config
    command_line = CommandLine("least-connections", 5.0, "/ok")
    config = options("127.0.0.1:8080", servers=("10.0.0.1:80", "b.internal:81"), command_line=command_line).config
    assert config == from_file
    assert list(config.backends["app"].servers) == ["s1", "s2"]


def test_options_of_health() -> None:
    def health(command_line: CommandLine) -> tuple[str, float, object] | None:
        policy = options("*:80", command_line=command_line).config.backends["app"].health
        assert not isinstance(policy, str)
        return (policy.type, policy.interval, policy.options) if policy else None

    assert health(CommandLine()) is None
    assert health(CommandLine(health_path="/ok")) == ("http", 2.0, Http("/ok"))
    assert health(CommandLine(health_interval=5.0)) == ("tcp", 5.0, Tcp())


def test_more_options() -> None:
    config = options("*:80", metrics="127.0.0.1:9405", admin="unix:/run/a.sock", workers="3").config
    assert config.metrics.bind == Address("127.0.0.1", 9405)
    assert config.admin.bind == Address(path="/run/a.sock")
    assert config.global_.workers == 3
    assert [options("*:80", workers=given).config.global_.workers for given in (None, "auto", 0, 2)] == [0, 0, 0, 2]


def test_options_that_are_wrong() -> None:
    with pytest.raises(ConfigError) as error:
        options("x", "*:80", "*:80", servers=("10.0.0.1",), metrics="*:80", admin="*:81", workers="9999",
                command_line=CommandLine(algorithm="x"))
    lines = str(error.value).split("\n")
    assert ('command line: --server: "10.0.0.1" has no port; must be HOST:PORT, [IPv6]:PORT, unix:/PATH, '
            'unix:@NAME or https://HOST:PORT') in lines
    assert 'command line: --workers: 9999 is out of range; must be "auto" or a whole number from 1 to 64' in lines
    assert all(line.startswith("command line: --") for line in lines)


def test_options_that_are_missing() -> None:
    with pytest.raises(ConfigError) as error:
        options(servers=())
    assert str(error.value).split("\n") == [
        "command line: --listen: at least one address is needed", "command line: --server: at least one server is "
            "needed"]


def test_defaults_are_those_of_the_classes(directory: Directory) -> None:
    config = directory.read(WHOLE).config
    for name in ("global_", "log", "admin", "metrics", "timeouts"):
        assert getattr(config, name) == getattr(Config(), name)
    assert config.backends["app"].algorithm == AlgorithmConfig()


LENIENT = 'include = ["d/*.toml"]\n[global]\ninclude_mode = "last-good"\n'


@pytest.mark.parametrize(("broken", "finding"), [
    ("[backends.app\n", "d/b.toml:1:14: not valid TOML"),
    (b"\xff", "d/b.toml:1:1: not UTF-8"),
    ('[backends.b.servers]\na = "10.0.0.1:80"\nb = 5\n', "d/b.toml:3:1: backends.b.servers.b: "),
    ('[backends.app.servers]\na = "10.0.0.1:80"\n', "d/b.toml:1:11: backends.app: backends.app is given already"),
])
def test_the_last_good_version_of_a_broken_file(directory: Directory, broken: str | bytes, finding: str) -> None:
    directory.write("d/a.toml", directory.whole)
    directory.write("d/b.toml", '[backends.b.servers]\na = "10.0.0.1:80"\n')
    before = directory.read(LENIENT)
    directory.write("d/b.toml", broken)
    directory.write("d/a.toml", directory.whole + 'more = "10.0.0.7:80"\n')
    arguments = "lbd.toml", directory.algorithms, directory.checks
    after = read_file(*arguments, good=before.documents)
    assert list(after.config.backends["app"].servers) == ["a", "more"]
    assert after.config.backends["b"] == before.config.backends["b"]
    assert [str(problem).startswith(finding) for problem in after.refused] == [True]
    with pytest.raises(ConfigError):
        read_file(*arguments)
    directory.write("lbd.toml", LENIENT.replace("last-good", "strict"))
    with pytest.raises(ConfigError):
        read_file(*arguments, good=before.documents)


def test_what_is_wrong_in_the_first_file_is_never_replaced(directory: Directory) -> None:
    directory.write("d/a.toml", '[backends.b.servers]\na = "10.0.0.1:80"\n')
    before = directory.read(LENIENT + directory.whole)
    directory.write("lbd.toml", LENIENT + 'workers = "x"\n' + directory.whole)
    with pytest.raises(ConfigError, match=r"global\.workers"):
        read_file("lbd.toml", directory.algorithms, directory.checks, good=before.documents)
    directory.write("lbd.toml", LENIENT + directory.whole)
    (directory.path / "d/a.toml").unlink()
    after = read_file("lbd.toml", directory.algorithms, directory.checks, good=before.documents)
    assert list(after.config.backends) == ["app"]


def test_the_moment_before_the_reading(directory: Directory) -> None:
    before = time.time_ns()
    begun = directory.read(WHOLE).begun
    assert before - 100_000_000 < begun <= time.time_ns()       # its clock moves a hundred times a second at least
    assert directory.write("lbd.toml", WHOLE + "\n").stat().st_ctime_ns >= begun

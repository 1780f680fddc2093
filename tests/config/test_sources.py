"""Tests of lbd.config.sources: files that include others, and what no two of them may say."""

import pytest

from tests.config.conftest import WHOLE, Directory


def test_include_puts_files_together(directory: Directory) -> None:
    directory.write("lbd.d/b.toml", '[backends.b.servers]\nx = "10.0.0.2:80"\n[timeouts]\nqueue = "1s"\n')
    directory.write("lbd.d/a.toml", '[backends.a.servers]\nx = "10.0.0.1:80"\n'
                                    '[listeners.web]\nbind = "*:80"\nbackend = "b"\n')
    directory.write("lbd.d/ignored.toml~", "not = read = at all")
    loaded = directory.read('include = ["lbd.d/*.toml"]\n[timeouts]\nconnect = "1s"\n')
    assert list(loaded.config.backends) == ["a", "b"]
    assert (loaded.config.timeouts.connect, loaded.config.timeouts.queue) == (1.0, 1.0)
    assert loaded.config.include == ("lbd.d/*.toml",)
    assert loaded.places["backends", "b", "servers", "x"] == ("lbd.d/b.toml", 2, 1)
    root = directory.path
    names = ("lbd.toml", "lbd.d/*.toml", "lbd.d/a.toml", "lbd.d/b.toml")
    assert loaded.files == tuple(str(root / name) for name in names)


def test_include_is_relative_to_the_file_that_includes(directory: Directory) -> None:
    directory.write("sub/a.toml", 'include = "more/b.toml"\n')
    directory.write("sub/more/b.toml", '[log]\nlevel = "debug"\n')
    assert directory.read('include = ["sub/a.toml"]\n' + WHOLE).config.log.level == "debug"


def test_paths_are_relative_to_the_file_they_stand_in(directory: Directory) -> None:
    directory.write("sub/a.toml", '[global]\nstate_dir = "state"\n')
    config = directory.read('include = ["sub/*.toml"]\n' + WHOLE).config
    assert config.global_.state_dir == str(directory.path / "sub/state")


def test_a_file_that_several_patterns_find_is_read_once(directory: Directory) -> None:
    directory.write("a.toml", '[log]\nlevel = "debug"\n')
    assert directory.errors('include = ["a.toml", "a*.toml", "*.toml"]\n' + WHOLE) == []


def test_a_pattern_may_find_nothing(directory: Directory) -> None:
    assert directory.errors('include = ["none.d/*.toml"]\n' + WHOLE) == []


@pytest.mark.parametrize(("include", "errors"), [
    ('"none.toml"', ['lbd.toml:1:12: include[0]: "none.toml" cannot be read: No such file or directory']),
    ('"."', ['lbd.toml:1:12: include[0]: "." cannot be read: it is a directory']),
    ('"loop.toml"', ['loop.toml:1:1: include[0]: "lbd.toml" includes itself in the end']),
    ('"lbd.toml"', ['lbd.toml:1:12: include[0]: "lbd.toml" includes itself in the end']),
    ('""', ['lbd.toml:1:1: include: the array holds "", which is empty; must be paths, or patterns like '
            '"lbd.d/*.toml"']),
    ("5", ["lbd.toml:1:1: include: the array holds 5, which is an integer; must be paths, or patterns like "
           "\"lbd.d/*.toml\""]),
    ('"broken.toml"', ["broken.toml:2:5: not valid TOML: a value was expected; strings need quotes, and true and false "
                       "lower case"]),
])
def test_includes_that_fail(directory: Directory, include: str, errors: list[str]) -> None:
    directory.write("loop.toml", 'include = "lbd.toml"\n')
    directory.write("broken.toml", "[backends.app]\nx = \n")
    assert directory.errors(f"include = [{include}]\n" + WHOLE) == errors


def test_nesting_has_an_end(directory: Directory) -> None:
    for depth in range(30):
        directory.write(f"{depth}.toml", f'include = "{depth + 1}.toml"\n')
    errors = directory.errors('include = "0.toml"\n' + WHOLE)
    assert errors == ['14.toml:1:1: include[0]: "15.toml" is included more than 16 files deep']


def test_a_name_in_a_file_that_cannot_be_read_is_not_called_missing(directory: Directory) -> None:
    directory.write("a.toml", '[backends.app\n')
    errors = directory.errors('include = ["a.toml"]\n[listeners.web]\nbind = "*:80"\nbackend = "app"\n')
    assert len(errors) == 1
    assert errors[0].startswith("a.toml:1:14: not valid TOML: ")


def test_no_name_or_key_in_two_files(directory: Directory) -> None:
    directory.write("a.toml", '[backends.app.servers]\nb = "10.0.0.2:80"\n[log]\nlevel = "debug"\n[health.x]\n')
    directory.write("b.toml", '[log]\nlevel = "info"\nformat = "json"\n')
    assert directory.errors('include = ["a.toml", "b.toml"]\n' + WHOLE) == [
        "a.toml:1:11: backends.app: backends.app is given already at lbd.toml:5:11; leave out one of them",
        "b.toml:2:1: log.level: log.level is given already at a.toml:4:1; leave out one of them",
    ]


def test_the_top_level(directory: Directory) -> None:
    directory.write("a.toml", "backend = 1\nlog = 'x'\n[[health]]\n")
    assert directory.errors('include = ["a.toml"]\nzzz = 1\n' + WHOLE) == [
        "lbd.toml:2:1: zzz: unknown key; known here: include, global, log, admin, metrics, tracing, timeouts, health, "
        "listeners, backends, errors",
        'a.toml:1:1: backend: unknown key; did you mean "backends"?',
        'a.toml:2:1: log: "x" is a string; must be a table',
        "a.toml:3:3: health: an array stands here; must be a table",
    ]

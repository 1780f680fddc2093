"""Findings say where, which key and what; a configuration error says all of them."""

import errno

import pytest

from lbd.errors import ConfigError, LbdError, Problem, UsageError, shortage


def test_a_finding_names_file_line_column_and_key() -> None:
    problem = Problem("lbd.toml", 3, 7, "backends.app", "unknown key")
    assert str(problem) == "lbd.toml:3:7: backends.app: unknown key"


def test_a_finding_about_a_whole_file_has_no_line_and_no_key() -> None:
    assert str(Problem("lbd.toml", 0, 0, "", "cannot be read")) == "lbd.toml: cannot be read"


def test_a_configuration_error_has_one_line_per_finding() -> None:
    problems = [Problem("a", 1, 1, "x", "one"), Problem("b", 2, 2, "y", "two")]
    error = ConfigError(problems)
    assert error.problems == problems
    assert str(error).splitlines() == ["a:1:1: x: one", "b:2:2: y: two"]


def test_all_are_of_one_kind() -> None:
    assert issubclass(ConfigError, LbdError)
    assert issubclass(UsageError, LbdError)


@pytest.mark.parametrize(("error", "own"), [
    (OSError(errno.EMFILE, "Too many open files"), True),
    (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), False),
    (ValueError(errno.EMFILE), False),
    (None, False),
])
def test_what_this_machine_lacks_is_told_apart_from_what_others_do(error: BaseException | None, own: bool) -> None:
    assert shortage(error) is own

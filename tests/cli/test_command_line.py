"""lbd.cli.command_line: words to command, refusals, exit codes."""

import argparse
import ast
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from lbd import __version__, cli
from lbd.cli import command_line
from lbd.cli.command_line import COMMANDS, split
from lbd.errors import ConfigError, LbdError, Problem


@pytest.mark.parametrize(("words", "command", "rest"), [
    ("", "", ""),
    ("-c lbd.toml", "", "-c lbd.toml"),
    ("check -c lbd.toml", "check", "-c lbd.toml"),
    ("-c lbd.toml check", "check", "-c lbd.toml"),
    ("--config=lbd.toml status --json", "status", "--config=lbd.toml --json"),
    ("-c check status", "status", "-c check"),
    ("--admin status reload", "reload", "--admin status"),
    ("--check -c check", "", "--check -c check"),
    ("-t -c check", "", "-t -c check"),
    ("-c - check", "check", "-c -"),
    ("-V", "", "-V"),
    ("demo-server --name status --port 1", "demo-server", "--name status --port 1"),
])
def test_split(words: str, command: str, rest: str) -> None:
    assert split(words.split()) == (command, rest.split())


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Every command is replaced by one that keeps its options and ends as told."""
    kept = SimpleNamespace(module="", args=None, end=lambda: 0)

    def load(module: str) -> SimpleNamespace:
        def add_arguments(parser: argparse.ArgumentParser) -> None:
            parser.add_argument("-c", "--config")
            parser.add_argument("--json", action="store_true")

        def run(args: argparse.Namespace) -> Any:
            kept.module, kept.args = module, args
            return kept.end()

        return SimpleNamespace(add_arguments=add_arguments, run=run)

    monkeypatch.setattr(command_line, "importlib", SimpleNamespace(import_module=load))
    return kept


@pytest.mark.parametrize(("words", "module"), [
    ("-c x", "lbd.cli.commands.daemon"),
    ("-c x --check", "lbd.cli.commands.check"),
    ("--check -c x", "lbd.cli.commands.check"),
    ("-c x check", "lbd.cli.commands.check"),
    ("-c x -t", "lbd.cli.commands.check"),
    ("-t -c x", "lbd.cli.commands.check"),
    ("check -c x", "lbd.cli.commands.check"),
    ("status -c x", "lbd.cli.commands.status"),
])
def test_dispatch(fakes: SimpleNamespace, words: str, module: str) -> None:
    assert cli.main(words.split()) == 0
    assert (fakes.module, fakes.args.config) == (module, "x")


@pytest.mark.parametrize(("words", "message"), [
    ("stauts", 'unknown command "stauts"; did you mean "status"? (lbd --help lists them all)'),
    ("qqq", 'unknown command "qqq" (lbd --help lists them all)'),
    ("status --jsno", 'unknown option --jsno; did you mean "--json"? (see lbd status --help)'),
    ("-c x stauts", 'unknown command "stauts"; did you mean "status"? (lbd --help lists them all)'),
    ("--confg x", 'unknown option --confg; did you mean "--config"? (see lbd --help)'),
    ("--confg=x", 'unknown option --confg; did you mean "--config"? (see lbd --help)'),
    ("-c", "-c/--config: expected one argument (see lbd --help)"),
    ("status more", '"more" is one word too many (see lbd status --help)'),
])
def test_bad_usage(fakes: SimpleNamespace, capsys: pytest.CaptureFixture[str], words: str, message: str) -> None:
    assert cli.main(words.split()) == 2
    assert capsys.readouterr() == ("", f"lbd: {message}\n")
    assert fakes.module == ""


def raising(error: BaseException) -> Any:
    def end() -> int:
        raise error

    return end


PROBLEMS = [Problem("lbd.toml", 3, 1, "global.wrokers", "unknown key"), Problem("lbd.toml", 0, 0, "", "is empty")]


@pytest.mark.parametrize(("error", "code", "message"), [
    (LbdError("nobody there"), 1, "lbd: nobody there\n"),
    (ConfigError(PROBLEMS), 1, "lbd.toml:3:1: global.wrokers: unknown key\nlbd.toml: is empty\n"),
    (KeyboardInterrupt(), 130, ""),
])
def test_exit_codes(fakes: SimpleNamespace, capsys: pytest.CaptureFixture[str], error: BaseException, code: int,
                    message: str) -> None:
    fakes.end = raising(error)
    assert cli.main(["status"]) == code
    assert capsys.readouterr().err == message


def test_help_names_every_command(fakes: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, _, group, text in COMMANDS:
        assert any(line.split()[:3] == [name, *text.split()[:2]] for line in shown.splitlines())
        assert f"{group}:" in shown


def test_help_of_a_command(fakes: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status", "--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: lbd status ")


def test_version_loads_nothing_heavy() -> None:
    code = ("import sys; from lbd.cli import main; assert main(['-V']) == 0; "
            "print(sorted({'aiohttp', 'uvloop', 'rich', 'asyncio', 'lbd.schema'} & set(sys.modules)))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"lbd {__version__}\n[]\n"


def test_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "lbd", "stauts"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith('lbd: unknown command "stauts"; did you mean "status"?')


def test_a_reader_that_leaves_early() -> None:
    code = "import sys; from lbd.cli import main; sys.exit(main(['demo-server', '--help']))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


@pytest.mark.parametrize("command", ["check", "plan"])
def test_a_command_on_files_loads_no_daemon(command: str) -> None:
    code = f"import sys; from lbd.cli import main; main([{command!r}, '-c', '/dev/null']); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"lbd.control", "aiohttp", "uvloop"} & set(ast.literal_eval(done.stdout.splitlines()[-1]))

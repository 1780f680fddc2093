"""lbd.cli.commands.ready: refusals; tests/system/test_overrides.py has its effect."""

from lbd.cli.command_line import main


def test_bad_usage() -> None:
    assert main(["ready"]) == 2
    assert main(["ready", "app/a/b", "--admin", "unix:/nowhere"]) == 2
    assert main(["ready", "app/a", "--for", "soon"]) == 2

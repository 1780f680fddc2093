"""lbd.cli.commands.ready: what it asks for stands with the others in test_steering; here is what it refuses."""

from lbd.cli.command_line import main


def test_bad_usage() -> None:
    assert main(["ready"]) == 2
    assert main(["ready", "app/a/b", "--admin", "unix:/nowhere"]) == 2
    assert main(["ready", "app/a", "--for", "soon"]) == 2

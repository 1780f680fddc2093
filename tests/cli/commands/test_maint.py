"""lbd.cli.commands.maint: refusals; tests/system/test_overrides.py has its effect."""

import pytest

from lbd.cli.command_line import main


def test_bad_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["maint"]) == 2
    assert main(["maint", "app/a/b", "--admin", "unix:/nowhere"]) == 2
    assert main(["maint", "app/a", "--for", "soon"]) == 2
    assert main(["maint", "app/a", "--cut", "-1s"]) == 2
    capsys.readouterr()
    assert main(["maint", "--cut", "app/a"]) == 2
    assert "BACKEND/SERVER stands before --cut" in capsys.readouterr().err

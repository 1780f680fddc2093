"""lbd.cli.options: every option is explained, and those with a value are known."""

from lbd.cli import options


def test_every_option_has_one_line_of_help() -> None:
    for flags, settings in options.CONFIGURATION + options.ADMIN:
        assert settings["help"], flags
        assert len(settings["help"]) <= 80, flags
    assert "--listen" in options.VALUED

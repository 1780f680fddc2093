"""lbd.cli.grammar: every command with its words, as the parsers have them."""

from lbd.cli.command_line import COMMANDS
from lbd.cli.grammar import FILE, REST, TARGET, commands


def test_every_command_is_there_and_explained() -> None:
    found = commands()
    assert [command.name for command in found] == ["", *(name for name, _, _, _ in COMMANDS)]
    assert all(command.help and command.options for command in found)
    assert all(word.help for command in found for word in command.options)


def test_words() -> None:
    known = {command.name: command for command in commands()}
    config, = (word for word in known[""].options if "-c" in word.flags)
    assert (config.flags, config.value, config.what) == (("-c", "--config"), "FILE", FILE)
    server, = (word for word in known[""].options if "--server" in word.flags)
    assert server.repeated
    assert [word.what for word in known["wait"].operands] == [("drained", "up", "down", "usable="), TARGET]
    assert [word.optional for word in (*known["overrides"].operands, *known["drain"].operands)] == [True, False]
    assert [word.what for word in known["register"].operands] == [REST]

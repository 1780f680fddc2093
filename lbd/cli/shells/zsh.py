"""Completion for zsh (zshcompsys(1)): `_arguments` for lbd itself and for each command."""

from collections.abc import Sequence

from lbd.cli.grammar import FILE, REST, TARGET, Command, Word

HEAD = """\
#compdef lbd
# Completion of lbd for zsh; made by `lbd completion zsh`.

_lbd_targets() {
    compadd -- ${(f)"$(lbd completion targets 2>/dev/null)"}
}

_lbd() {
    local curcontext=$curcontext state line
    typeset -A opt_args
"""

KINDS = {FILE: "_files", TARGET: "_lbd_targets", REST: "_normal", "": " "}


def script(commands: Sequence[Command]) -> str:
    """The whole script."""
    own = next(command for command in commands if not command.name)
    lines = [HEAD, "    _arguments -C \\\n", *(f"        {_option(word)} \\\n" for word in own.options),
             "        '1:command:->command' '*::words:->words'\n",
             "    case $state in\n    command)\n        local -a commands=(\n"]
    lines += [f"            {_quoted(f'{command.name}:{command.help}')}\n" for command in commands if command.name]
    lines += ["        )\n        _describe command commands\n        ;;\n    words)\n        case $line[1] in\n"]
    for command in commands:
        if command.name:
            words = [*map(_option, command.options), *(_operand(word) for word in command.operands)]
            lines.append(f"        {command.name}) _arguments {' '.join(words)} ;;\n")
    lines.append("        esac\n        ;;\n    esac\n}\n\n"
                 # Sourced, it registers itself; from a file of fpath it is the function's own body.
                 'if [[ $funcstack[1] == _lbd ]]; then _lbd "$@"; else compdef _lbd lbd; fi\n')
    return "".join(lines)


def _option(word: Word) -> str:
    flags = " ".join(word.flags)
    group = f"({flags})" if len(word.flags) > 1 and not word.repeated else ""
    names = f"{{{','.join(word.flags)}}}" if len(word.flags) > 1 else word.flags[0]
    rest = f"[{_plain(word.help)}]{_value(word)}"
    start = "'*'" if word.repeated else _quoted(group) if group else ""
    return f"{start}{names}{_quoted(rest)}"


def _operand(word: Word) -> str:
    if word.what == REST:
        return _quoted(f"*::{_plain(word.value)}:{_action(word)}")
    return _quoted(f"{':' if not word.optional else '::'}{_plain(word.value)}:{_action(word)}")


def _value(word: Word) -> str:
    return f":{':' if word.bare else ''}{_plain(word.value)}:{_action(word)}" if word.value else ""


def _action(word: Word) -> str:
    return KINDS[word.what] if isinstance(word.what, str) else f"({' '.join(word.what)})"


def _plain(text: str) -> str:
    """Without what `_arguments` would take for its own."""
    for letter in "\\[]:":
        text = text.replace(letter, f"\\{letter}")
    return text.replace("%%", "%")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"

"""Completion for fish (complete(1) of its manual): one line per word."""

from collections.abc import Sequence

from lbd.cli.grammar import FILE, REST, TARGET, Command, Word

HEAD = "# Completion of lbd for fish; made by `lbd completion fish`.\ncomplete -c lbd -f\n"
KINDS = {FILE: "-F", TARGET: "-a '(lbd completion targets 2>/dev/null)'", REST: "-a '(__fish_complete_command)'",
         "": ""}


def script(commands: Sequence[Command]) -> str:
    """The whole script."""
    names = " ".join(command.name for command in commands if command.name)
    none = _quoted(f"not __fish_seen_subcommand_from {names}")
    lines = [HEAD]
    for command in commands:
        when = f"complete -c lbd -n {_quoted(f'__fish_seen_subcommand_from {command.name}') if command.name else none}"
        if command.name:
            lines.append(f"complete -c lbd -n {none} -a {command.name} -d {_quoted(command.help)}\n")
        lines += [f"{when} {_flags(word)} {_follows(word)} -d {_quoted(word.help)}\n" for word in command.options]
        lines += [f"{when} {_value(word)}\n" for word in command.operands if word.what]
    return "".join(lines)


def _flags(word: Word) -> str:
    return " ".join(f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in word.flags)


def _follows(word: Word) -> str:
    return f"{'-r' if word.what == FILE else '-x'} {_value(word)}" if word.value and not word.bare else ""


def _value(word: Word) -> str:
    return KINDS[word.what] if isinstance(word.what, str) else f"-a {_quoted(' '.join(word.what))}"


def _quoted(text: str) -> str:
    return "'" + text.replace("%%", "%").replace("\\", "\\\\").replace("'", "\\'") + "'"

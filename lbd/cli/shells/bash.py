"""Completion for bash (programmable completion of its manual): one function with a table of cases."""

from collections.abc import Sequence

from lbd.cli.grammar import FILE, REST, TARGET, Command, Word

HEAD = """\
# Completion of lbd for bash; made by `lbd completion bash`.
_lbd() {
    local current=${COMP_WORDS[COMP_CWORD]} previous= command= operand=0 word colon= whole= typed=
    COMPREPLY=()
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        # bash takes words apart at colons: what follows one belongs to the word before it.
        if [[ $word == :* ]]; then colon=yes; continue; fi
        if [[ $colon ]]; then colon=; continue; fi
        if [[ $word == = ]]; then continue; fi
        case $command:$previous in
            @VALUED@) previous=; continue ;;
        esac
        previous=$word
        case $word in
            -*) ;;
            *) if [[ $command ]]; then operand=$((operand + 1)); else command=$word; fi ;;
        esac
    done
    if [[ $current == = ]]; then current=; fi
    if [[ $colon || $current == :* ]]; then
        whole=${COMP_LINE:0:COMP_POINT}; current=${whole##*[[:space:]]}; typed=${current%"${current##*:}"}
        operand=$((operand - 1))
    fi
    case $command:$previous in
"""

TAIL = """\
    if [[ $typed ]]; then COMPREPLY=("${COMPREPLY[@]#"$typed"}"); fi
}
complete -F _lbd lbd
"""

KINDS = {
    FILE: 'compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$current")',
    TARGET: 'mapfile -t COMPREPLY < <(compgen -W "$(lbd completion targets 2>/dev/null)" -- "$current")',
    REST: 'mapfile -t COMPREPLY < <(compgen -c -- "$current")',
    "": "",
}


def script(commands: Sequence[Command]) -> str:
    """The whole script."""
    valued = [(command, word) for command in commands for word in command.options if word.value and not word.bare]
    lines = [HEAD.replace("@VALUED@", "|".join(_after(command, word) for command, word in valued))]
    lines += [f"        {_after(command, word)}) {_reply(word.what)} return ;;\n" for command, word in valued]
    lines += ["    esac\n    case $command:$operand:$current in\n"]
    for command in commands:
        flags = " ".join(flag for word in command.options for flag in word.flags)
        lines.append(f"        {command.name}:*:-*) {_words(flags)} ;;\n")
        lines += [f"        {command.name}:{'*' if word.what == REST else place}:*) {_reply(word.what)} ;;\n"
                  for place, word in enumerate(command.operands)]
    names = " ".join(command.name for command in commands if command.name)
    lines.append(f"        :*) {_words(names)} ;;\n    esac\n{TAIL}")
    return "".join(lines)


def _after(command: Command, word: Word) -> str:
    return "|".join(f"{command.name}:{flag}" for flag in word.flags)


def _reply(what: str | tuple[str, ...]) -> str:
    text = KINDS[what] if isinstance(what, str) else _words(" ".join(what))[:-1]
    return f"{text};" if text else ":;"


def _words(words: str) -> str:
    return f"mapfile -t COMPREPLY < <(compgen -W '{words}' -- \"$current\");"

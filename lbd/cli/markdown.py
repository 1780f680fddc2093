"""Markdown of the guides as a terminal shows it: headings, tables and code in colour, links as what to type."""

import re

from rich.markdown import Markdown
from rich.theme import Theme

from lbd.cli.terminal import TerminalConsole

WIDTH = 120      # columns at most, as the guides are written: longer lines are hard to read
LINK = re.compile(r"!?\[([^\]]+)\]\(([^)#]*)[^)]*\)")
EXAMPLES = re.compile(r"(?:\.\./)+(conf|systemd)/")       # files of the tree, and where an installation has them
INSTALLED = {"conf": "share/lbd/", "systemd": "share/lbd/systemd/"}
THEME = Theme({"markdown.h1": "bold", "markdown.h2": "bold green", "markdown.code": "cyan",
               "markdown.table.header": "bold", "markdown.table.border": "dim"})


def page(text: str) -> str:
    """The text as it is shown: unchanged where standard output is no terminal."""
    console = TerminalConsole(highlight=False)
    if not console.is_terminal:
        return text
    console.push_theme(THEME)
    console.width = min(console.width, WIDTH)
    with console.capture() as captured:
        console.print(Markdown(LINK.sub(_link, text), code_theme="ansi_dark", inline_code_theme=None))
    return captured.get()


def _link(link: re.Match[str]) -> str:
    """A guide is named by the command that shows it, another file by its name."""
    words, target = link.groups()
    if target.endswith(".md") and "/" not in target:
        command = f"`lbd help {target.removesuffix('.md')}`"
        return command if words == target.removesuffix(".md") else f"{words} ({command})"
    target = EXAMPLES.sub(lambda directory: INSTALLED[directory[1]], target)
    return f"{words} ({target})" if target and words not in target else words

"""Endings of requests as `lbd help` shows them: the whole table, or one by its name."""

from lbd.stats.endings import ENDINGS

TABLE = "| ending | blame | status | what happened |\n|---|---|---|---|\n"


def names() -> list[str]:
    """Every ending, in the order of the table."""
    return [ending.name for ending in ENDINGS]


def table() -> str:
    """A Markdown table, one row an ending; `-` in the column `status`: lbd sends no answer of its own."""
    return TABLE + "".join(f"| `{ending.name}` | {ending.blame} | {ending.status or '-'} | {ending.text} |\n"
                           for ending in ENDINGS)


def entry(subject: str) -> str:
    """The text of one ending, "" where there is none of that name."""
    ending = next((ending for ending in ENDINGS if ending.name == subject), None)
    if ending is None:
        return ""
    answer = f"lbd answers with status {ending.status}" if ending.status else "lbd sends no answer of its own"
    return "\n    ".join((f"ending {ending.name}", ending.text, f"blame: {ending.blame}; {answer}",
                          f'in metrics: lbd_endings_total{{ending="{ending.name}"}}',
                          f'in the access log: "ending":"{ending.name}"')) + "\n"

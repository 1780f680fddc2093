"""lbd.cli.markdown: guides as a terminal shows them."""

import re
import sys

import pytest

from lbd.cli import guide, markdown

TEXT = """# About it

See [tls](tls.md), [the file](../../conf/lbd.toml), [the next part](#part), [more of it](runtime.md#part) and

![a picture](status-page.png)

| a | b |
|---|---|
| `one` | two |

```sh
lbd status
```
"""


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_a_pipe_gets_it_as_it_is() -> None:
    assert markdown.page(TEXT) == TEXT


@pytest.mark.usefixtures("terminal")
def test_links_say_what_to_type() -> None:
    shown = " ".join(plain(markdown.page(TEXT)).split())
    assert "See lbd help tls, the file (share/lbd/lbd.toml), the next part, more of it (lbd help runtime) and " \
        "a picture (status-page.png)" in shown


@pytest.mark.usefixtures("terminal")
def test_tables_and_code_are_drawn() -> None:
    shown = markdown.page(TEXT)
    assert "\x1b[" in shown
    assert "|---|" not in shown
    assert "```" not in shown
    assert "lbd status" in plain(shown)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("topic", guide.topics())
def test_no_guide_is_wider_than_the_terminal(topic: str) -> None:
    lines = plain(markdown.page(guide.text(guide.topics()[topic]))).splitlines()
    assert max(map(len, lines)) <= 80

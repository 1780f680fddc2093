"""Tests of lbd.config.document: files that cannot be used at all say why, and where."""

import os
from pathlib import Path

import pytest

from lbd.config import document
from lbd.config.document import LARGEST, Document, DocumentError, load
from lbd.config.places import Place


def refused(file: Path) -> tuple[int, int, str]:
    with pytest.raises(DocumentError) as error:
        load(str(file))
    return error.value.line, error.value.column, str(error.value)


def test_load(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(b"a = 1\r\n\r\n[b]\r\nc = '\xc3\xa9'\r\n")
    document = load(str(file))
    assert document.data == {"a": 1, "b": {"c": "é"}}
    assert document.places["b", "c"] == Place(4, 1, 4, 5)


@pytest.mark.parametrize(("content", "line", "column", "text"), [
    (b"a = \n", 1, 5, "not valid TOML: a value was expected; strings need quotes, and true and false lower case"),
    (b"a = True", 1, 5, "not valid TOML: a value was expected; strings need quotes, and true and false lower case"),
    (b"a = 1\na = 2\n", 2, 1, "not valid TOML: the key a is given twice"),
    (b"[x]\n  b.c = 1\n  b.c = 2\n", 3, 3, "not valid TOML: the key b.c is given twice"),
    (b"a = 1\na = [\n1,\n]\n", 4, 2, "not valid TOML: the key is given twice"),
    (b"[a.b]\n[a.b]\n", 2, 5, "not valid TOML: the table [a.b] is there already"),
    (b"a = \"x\nb = 1", 1, 7, "not valid TOML: a string ends with its line; is a quote missing?"),
    (b"a = 'x", 1, 7, "not valid TOML: the file ends too early: a string is not closed"),
    (b'a = """x\n', 1, 9, "not valid TOML: the file ends too early: a string is not closed"),
    (b"a = '''x\n", 1, 9, "not valid TOML: the file ends too early: a string is not closed"),
    (b"a = 1 2", 1, 7, "not valid TOML: the line goes on after the value; is a quote or a line break missing?"),
    (b"a", 1, 2, "not valid TOML: the file ends too early: expected '=' after a key in a key/value pair"),
    (b"a = [1,\n2\n", 2, 2, "not valid TOML: the file ends too early: unclosed array"),
    (b"\xef\xbb\xbfa = 1", 1, 1, "begins with a byte order mark; save the file without it"),
    (b"a = 1\nb = '\xc3\xa9 \xff'", 2, 8, "not UTF-8: the byte 0xff cannot stand here"),
    (b"a = 1\nb\0 = 1", 2, 2, "contains a NUL character; is this a text file?"),
    (b"a = " + b"[" * 100_000, 0, 0, "not usable: arrays or tables are nested too deeply"),
])
def test_refused(tmp_path: Path, content: bytes, line: int, column: int, text: str) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(content)
    assert refused(file) == (line, column, text)


def test_a_number_beyond_all_bounds(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text("a = " + "9" * 5000)
    assert refused(file)[2].startswith("not usable: Exceeds the limit")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    large = tmp_path / "large"
    with large.open("wb") as opened:
        opened.truncate(LARGEST + 1)
    assert [refused(tmp_path / name)[2] for name in ("none", ".", "fifo", "loop", "large", "a\0b")] == [
        "cannot be read: No such file or directory",
        "cannot be read: it is a directory",
        "cannot be read: it is not a regular file",
        "cannot be read: Too many levels of symbolic links",
        "cannot be read: it is larger than 8 MiB",
        "cannot be read: its name contains a NUL character",
    ]


def from_input(content: bytes, tmp_path: Path) -> Document:
    """Read content as standard input by `load_input`."""
    (tmp_path / "input").write_bytes(content)
    saved = os.dup(0)
    with open(tmp_path / "input", "rb") as file:
        os.dup2(file.fileno(), 0)
    try:
        return document.load_input()
    finally:
        os.dup2(saved, 0)
        os.close(saved)


def test_standard_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = from_input(b"[a]\nb = 1\n", tmp_path)
    assert (found.file, found.data) == ("<stdin>", {"a": {"b": 1}})
    with pytest.raises(DocumentError, match="not valid TOML"):
        from_input(b"[a", tmp_path)
    monkeypatch.setattr(document, "LARGEST", 2**20)
    with pytest.raises(DocumentError, match="it is larger than 1 MiB"):
        from_input(b"#" * (2**20 + 1), tmp_path)

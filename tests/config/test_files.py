"""Files that an operator names: a regular one is read, and nothing else holds anybody up."""

import os

import pytest

from lbd.config import files


def test_only_regular_files_of_bearable_size(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    os.mkfifo(tmp_path / "fifo")
    assert files.fetch(str(tmp_path / "file"), 5) == b"12345"
    for name, largest, reason in (("file", 4, "larger than 4 bytes"), ("fifo", 5, "not a regular file"),
                                  (".", 5, "it is a directory"), ("none", 5, "No such file")):
        with pytest.raises(OSError, match=reason):
            files.fetch(str(tmp_path / name), largest)
    with pytest.raises(OSError, match="not a regular file"):
        files.regular(str(tmp_path / "fifo"))

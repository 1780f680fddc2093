"""lbd.cli.override_writer: what is written, and that all else stays as it was."""

from pathlib import Path

import pytest

from lbd.cli.override_writer import write_overrides
from lbd.errors import LbdError

TEXT = """# my balancer
[backends.app]   # the application
algorithm = "first"

[backends.app.servers]
a = "10.0.0.1:80"   # the old machine
b = { address = "10.0.0.2:80", weight = 2 }
[backends.app.servers.c]
address = "10.0.0.3:80"   # third
"""


def test_comments_and_layout_stay(tmp_path: Path) -> None:
    file = tmp_path / "lbd.toml"
    file.write_text(TEXT)
    file.chmod(0o640)
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    done, left = write_overrides(link, [
        {"backend": "app", "server": "c", "mode": "drain", "who": "me"}, {"backend": "app", "server": "b", "weight": 5},
        {"backend": "app", "server": "", "max_conns": 9}, {"backend": "app", "server": "a", "health": "up"},
        {"backend": "app", "server": "x", "weight": 1}])
    assert file.read_text() == """# my balancer
[backends.app]   # the application
algorithm = "first"

[backends.app.servers]
a = {address = "10.0.0.1:80", max_conns = 9}   # the old machine
b = { address = "10.0.0.2:80", weight = 5 , max_conns = 9}
[backends.app.servers.c]
address = "10.0.0.3:80"   # third
max_conns = 9
mode = "drain"
""".replace("5 , max", "5, max")
    assert len(done) == 5
    assert left == ["backends.app.servers.a.health: no key of a file", "backends.app.servers.x: not in this file"]
    assert (file.stat().st_mode & 0o777, link.is_symlink()) == (0o640, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lbd.toml", "link.toml"]


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(LbdError, match=r"cannot read .*: No such file"):
        write_overrides(tmp_path / "none", [])
    (tmp_path / "bad").write_text("= 1")
    with pytest.raises(LbdError, match="bad: "):
        write_overrides(tmp_path / "bad", [])

"""lbd.config.bodies: what is in the files of `[errors]` belongs to the configuration."""

from lbd.config.bodies import LARGEST
from lbd.config.plan import compare

TEXT = "[errors]\n503 = 'sorry.html'\n"


def test_another_content_is_another_configuration(directory):
    directory.write("sorry.html", b"<p>Sorry</p>")
    old = directory.read(directory.whole + TEXT)
    assert old.config.bodies == {"503": b"<p>Sorry</p>"}
    assert str(directory.path / "sorry.html") in old.files   # to be watched
    directory.write("sorry.html", b"<p>Back soon</p>")
    new = directory.read()
    assert new.config != old.config
    change, = compare(old.config, new.config).changes
    assert (change.path, change.what, change.reload) == ("errors.503", "changed", "live")
    assert str(change).startswith("errors.503 changed (live): content: 12 bytes ")
    assert not compare(new.config, directory.read().config).changes


def test_files_that_cannot_be_used(directory):
    directory.path = directory.path.resolve()
    for name, size in (("ok", 10), ("big", LARGEST + 1)):
        directory.write(name, b"x" * size)
    place = directory.path
    assert directory.errors("[errors]\n503 = 'ok'\n404 = 'none'\n500 = 'big'\n418 = 'ok'\n" + directory.whole) == [
        f'lbd.toml:3:1: errors.404: "{place}/none" cannot be read: No such file or directory',
        f'lbd.toml:4:1: errors.500: "{place}/big" is larger than 1 MiB',
        "lbd.toml:5:1: errors.418: lbd never answers 418 by itself; must be one of 400, 404, 405, 408, 413, 414, 421, "
        "429, 431, 500, 501, 502, 503, 504",
    ]

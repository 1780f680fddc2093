"""The example configurations that come with lbd: `conf/` of the source tree, `share/lbd/` of an installation."""

from importlib import metadata
from pathlib import Path

from lbd import __file__ as package
from lbd.errors import LbdError

SHARE = "share/lbd"  # where pyproject.toml puts conf/, below the prefix of the installation


def example_file(name: str, tree: Path = Path(package).parents[1]) -> Path:
    """The path of the example of that name. Raises `LbdError` where the installation lacks it.

    The source tree comes first: an editable installation keeps copies that edits of conf/ do not reach.
    """
    in_tree = tree / "conf" / name
    if in_tree.is_file():
        return in_tree
    try:
        files = metadata.files("lbd") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.as_posix().endswith(f"{SHARE}/{name}"):
            return Path(str(file.locate())).resolve()
    raise LbdError(f"this installation of lbd lacks its {SHARE}/{name}; reinstall it, or run from the source tree")

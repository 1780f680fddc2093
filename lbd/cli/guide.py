"""The texts of `lbd/guide/`, one a topic of `lbd help`: part of the package, so that every installation has them."""

from pathlib import Path

from lbd import __file__ as package

DIRECTORY = Path(package).parent / "guide"
SUFFIX = ".md"


def topics(directory: Path = DIRECTORY) -> dict[str, Path]:
    """The file of each topic, by name, in order."""
    return {path.stem: path for path in sorted(directory.glob(f"*{SUFFIX}"))}

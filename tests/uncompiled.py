"""The compiled modules that are ordinary Python, imported from their source: what runs is what one reads."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

from lbd import building

ROOT = Path(__file__).parents[1]
ASKED = "LBD_UNCOMPILED"        # the environment variable by which a run of the tests asks for it


class SourceFinder(MetaPathFinder):
    """Finds these modules before the compiled ones."""

    def __init__(self) -> None:
        paths = (path for path in building.kernels(ROOT / "lbd") if path.suffix == ".py")
        self.sources = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}

    def find_spec(self, fullname: str, path: Sequence[str] | None,
                  target: ModuleType | None = None) -> ModuleSpec | None:
        source = self.sources.get(fullname)
        return spec_from_file_location(fullname, source) if source is not None else None


def install() -> None:
    """Import them from their source from now on."""
    sys.meta_path.insert(0, SourceFinder())

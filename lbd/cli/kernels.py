"""The modules that this copy of lbd lacks: a source tree that was not built has no kernels, and shadows an installed
lbd; a Python may have none of the libraries."""

import sys
from collections.abc import Collection
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from lbd import __file__ as package

HERE = Path(package).parent


def kernels(directory: Path) -> list[Path]:
    """The sources of compiled modules, as `lbd.building` finds them, which needs setuptools."""
    return sorted([*directory.rglob("*.pyx"), *(path.with_suffix(".py") for path in directory.rglob("*.pxd")
                                                if path.with_suffix(".py").is_file())])


def missing(directory: Path = HERE) -> tuple[str, ...]:
    """The kernels that were not built for this Python, by their module names."""
    return tuple(".".join(path.relative_to(directory.parent).with_suffix("").parts)
                 for path in kernels(directory)
                 if not any(path.with_suffix(suffix).is_file() for suffix in EXTENSION_SUFFIXES))


def advice(modules: Collection[str], directory: Path = HERE) -> str:
    """Advice on missing kernels, in a line."""
    some = f"{next(iter(modules))}{f' and {len(modules) - 1} more' if len(modules) > 1 else ''}"
    return (f"{directory} lacks its compiled kernels ({some}): build them in the source tree with pip install -e ., "
            "or run an installed lbd by its command, lbd, instead of python -m lbd")


def advice_on(error: ModuleNotFoundError) -> str:
    """Advice on a module that was not found, in a line; "" where only lbd itself can be at fault."""
    if error.name in (modules := missing()):
        return advice(modules)
    if str(error.name).partition(".")[0] == "lbd":
        return ""
    return (f"{sys.executable} has no module {error.name}, which lbd needs: run an installed lbd by its command, lbd, "
            "or first pip install .")

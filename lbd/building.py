"""The build of the package: setuptools, with the kernels translated and compiled side by side, and C in the sdist."""

import hashlib
import multiprocessing
import os
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from setuptools import Extension, build_meta
from setuptools.command.build_ext import build_ext
from setuptools.command.sdist import sdist
from setuptools.errors import SetupError

# The rest of the interface of a build backend (PEP 517 and 660) is that of setuptools.
build_editable = build_meta.build_editable
build_sdist = build_meta.build_sdist
build_wheel = build_meta.build_wheel
prepare_metadata_for_build_editable = build_meta.prepare_metadata_for_build_editable
prepare_metadata_for_build_wheel = build_meta.prepare_metadata_for_build_wheel

CYTHON = "Cython>=3.1,<4"

# Directives of Cython for every kernel, beside those in its first line. Each leaves out C that no kernel needs, a fifth
# in all: functions are plain builtins, which are called faster too, and give their signature by their docstring.
DIRECTIVES = {"annotation_typing": False, "auto_pickle": False, "autotestdict": False, "binding": False,
              "embedsignature": True, "embedsignature.format": "clinic", "language_level": 3}

# Arguments of the compiler, before those of an extension: a kernel that gains by -O3 asks for it. Line numbers for
# backtraces, but no description of each variable, and no search for what to warn of in code that Cython wrote: both
# take their time. A function that no header declares stays an error.
FLAGS = ["-O1", "-g1", "-fno-strict-aliasing", "-Wno-all", "-Wno-sign-compare", "-Werror=implicit-function-declaration"]


def get_requires_for_build_wheel(config_settings: Mapping[str, Any] | None = None) -> list[str]:
    """Packages that a wheel needs to be built: no Cython where every kernel comes with its C, as in the sdist."""
    return [] if all(map(translated, kernels(Path("lbd")))) else [CYTHON]


get_requires_for_build_editable = get_requires_for_build_wheel


def get_requires_for_build_sdist(config_settings: Mapping[str, Any] | None = None) -> list[str]:
    """Packages that the sdist needs to be built: Cython, unless this tree is an sdist already."""
    return get_requires_for_build_wheel(config_settings)


def kernels(directory: Path) -> list[Path]:
    """The sources of compiled modules: .pyx files, and ordinary modules whose types are declared in a .pxd beside."""
    return sorted([*directory.rglob("*.pyx"), *(path.with_suffix(".py") for path in directory.rglob("*.pxd")
                                                if path.with_suffix(".py").is_file())])


def stamp(kernel: Path) -> bytes:
    """The first line of the C that comes with a kernel: a hash of its text and of all declarations, which it may
    include. Times would not do: not every unpacker and no checkout keeps them."""
    digest = hashlib.sha256(kernel.read_bytes())
    for declarations in sorted(Path("lbd").rglob("*.pxd")):
        digest.update(declarations.read_bytes())
    return b"/* of source %s */\n" % digest.hexdigest().encode()


def translated(kernel: Path) -> Path | None:
    """The C beside a kernel's source; None where there is none, or one of another source."""
    beside = kernel.with_suffix(".c")
    return beside if beside.is_file() and beside.read_bytes().startswith(stamp(kernel)) else None


def translate(extensions: Iterable[Extension], directory: str | Path, force: bool = False) -> dict[str, list[str]]:
    """Have the C of each extension, by Cython where it is not there; it goes below `directory`. Returns the sources
    by the names of the extensions.

    Raises SetupError without Cython, and its CompileError after it has printed what is wrong in which kernel.
    """
    sources, missing = {}, []
    for extension in extensions:
        beside = [translated(Path(source)) for source in extension.sources]
        if all(beside):
            sources[extension.name] = list(map(str, beside)) or extension.sources
        else:
            missing.append(extension)
    if not missing:
        return sources
    if not find_spec("Cython"):
        raise SetupError(f"{missing[0].sources[0]} has no C of this source beside it: install {CYTHON} to translate it")
    made = import_module("Cython.Build").cythonize(missing, build_dir=str(directory), force=force,
                                                   compiler_directives=DIRECTIVES)
    return sources | {extension.name: list(extension.sources) for extension in made}


class BuildKernels(build_ext):
    """`build_ext` on every processor: Cython and the compiler at the same time, the longest kernel first."""

    parallel: int | None
    translations: Mapping[str, Future[dict[str, list[str]]]]

    def finalize_options(self) -> None:
        """Take as many jobs as the process may use processors, unless --parallel says how many."""
        super().finalize_options()
        self.parallel = self.parallel or len(os.sched_getaffinity(0))

    def build_extensions(self) -> None:
        """Translate and compile all; the first that fails fails the build."""
        self.extensions.sort(key=lambda extension: -sum(os.path.getsize(source) for source in extension.sources))
        if find_spec("Cython"):
            import_module("Cython.Build")       # once, not in every process of the pool
        with ProcessPoolExecutor(self.parallel, multiprocessing.get_context("fork")) as pool:
            self.translations = {extension.name: pool.submit(translate, [extension], self.build_temp, bool(self.force))
                                 for extension in self.extensions}
            super().build_extensions()

    def build_extension(self, extension: Extension) -> None:
        """Compile one extension, once it is translated; called in several threads."""
        extension.sources = self.translations[extension.name].result()[extension.name]
        extension.extra_compile_args = [*FLAGS, *extension.extra_compile_args]
        super().build_extension(extension)


class Source(sdist):
    """`sdist` with the C of every kernel beside it, so that it builds without Cython."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Copy the files, then what Cython makes of them."""
        super().make_release_tree(base_dir, files)
        build = self.get_finalized_command("build_ext")
        kernel_of = {extension.name: Path(extension.sources[0]) for extension in self.distribution.ext_modules}
        for name, sources in translate(self.distribution.ext_modules, build.build_temp).items():
            for source in sources:
                kernel = kernel_of[name]
                text, line = Path(source).read_bytes(), stamp(kernel)
                Path(base_dir, kernel).with_suffix(".c").write_bytes(text if text.startswith(line) else line + text)

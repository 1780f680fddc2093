"""lbd.building: which kernels are translated, and what a build needs for it."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from setuptools import Distribution, Extension
from setuptools.errors import SetupError

from lbd import building


@pytest.fixture
def kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Extension]:
    """Two small kernels in a tree of their own, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    extensions = []
    for name in ("one", "two"):
        source = Path("lbd", f"{name}.pyx")
        source.parent.mkdir(exist_ok=True)
        source.touch()
        extensions.append(Extension(f"lbd.{name}", [str(source)]))
    monkeypatch.setattr(building, "import_module", {"Cython.Build": SimpleNamespace(cythonize=cythonize)}.get)
    return extensions


def cythonize(extensions: list[Extension], build_dir: str, force: bool, compiler_directives: object) -> list[Extension]:
    """A stand-in that writes no C: extensions as Cython returns them, whose names alone are those of before."""
    return [Extension(extension.name, [str(Path(build_dir, source).with_suffix(".c")) for source in extension.sources])
            for extension in reversed(extensions)]


def beside(name: str) -> None:
    """C beside a kernel, as an sdist has it, and older than the kernel by its times."""
    made = Path("lbd", f"{name}.c")
    made.write_bytes(building.stamp(Path("lbd", f"{name}.pyx")) + b"/* made before */")
    os.utime(made, (1, 1))


def test_c_goes_below_the_directory_of_the_build(kernels: list[Extension]) -> None:
    assert building.translate(kernels, "temp") == {"lbd.one": ["temp/lbd/one.c"], "lbd.two": ["temp/lbd/two.c"]}


def test_c_that_came_along_is_taken(kernels: list[Extension]) -> None:
    beside("one")
    assert building.translate(kernels, "temp") == {"lbd.one": ["lbd/one.c"], "lbd.two": ["temp/lbd/two.c"]}


@pytest.mark.parametrize("changed", ["lbd/two.pyx", "lbd/shared.pxd"])
def test_c_of_another_source_is_not_taken(kernels: list[Extension], changed: str) -> None:
    beside("two")
    Path(changed).write_text("# another text")
    assert building.translated(Path("lbd/two.pyx")) is None
    beside("two")
    assert building.translated(Path("lbd/two.pyx"))
    Path("lbd/two.c").write_text("/* made in place */")
    assert building.translated(Path("lbd/two.pyx")) is None


def test_cython_is_needed_only_for_what_has_no_c(kernels: list[Extension], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "find_spec", lambda name: None)
    beside("one")
    assert building.get_requires_for_build_wheel() == [building.CYTHON]
    with pytest.raises(SetupError, match=r"lbd/two\.pyx has no C of this source beside it: install Cython>="):
        building.translate(kernels, "temp")
    beside("two")
    assert building.get_requires_for_build_wheel() == building.get_requires_for_build_sdist() == []
    assert building.translate(kernels, "temp") == {"lbd.one": ["lbd/one.c"], "lbd.two": ["lbd/two.c"]}


def test_jobs_are_the_processors_of_the_process(kernels: list[Extension]) -> None:
    command = building.BuildKernels(Distribution({"ext_modules": kernels}))
    command.finalize_options()
    assert command.parallel == len(os.sched_getaffinity(0))
    command = building.BuildKernels(Distribution({"ext_modules": kernels}), parallel=7)
    command.finalize_options()
    assert command.parallel == 7


def test_a_kernel_is_compiled_once_it_is_translated_the_longest_first(
        kernels: list[Extension], monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = []
    monkeypatch.setattr(building.build_ext, "build_extension", lambda self, extension: compiled.append(
        (extension.name, extension.sources, extension.extra_compile_args)))
    Path("lbd/two.pyx").write_text("# the longer one")
    kernels[1].extra_compile_args = ["-O3"]
    command = building.BuildKernels(Distribution({"ext_modules": kernels}), parallel=1, build_temp="temp")
    command.ensure_finalized()
    command.build_extensions()
    assert compiled == [("lbd.two", ["temp/lbd/two.c"], [*building.FLAGS, "-O3"]),
                        ("lbd.one", ["temp/lbd/one.c"], building.FLAGS)]


def test_a_kernel_that_is_not_translated_fails_the_build(kernels: list[Extension],
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "find_spec", lambda name: None)
    command = building.BuildKernels(Distribution({"ext_modules": kernels}), build_temp="temp")
    command.ensure_finalized()
    with pytest.raises(SetupError, match="has no C of this source beside it"):
        command.build_extensions()

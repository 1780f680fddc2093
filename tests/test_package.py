"""The package as a user gets it: built from the source, installed into a new environment, started."""

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

from lbd.cli import guide
from lbd.generation.tracing import SPANS

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
VERSION = PROJECT["project"]["version"]

pytestmark = [pytest.mark.programs, pytest.mark.timeout(600)]


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True)


def done(*command: str | Path, cwd: Path) -> str:
    """Output of the command; it must succeed."""
    result = run(*command, cwd=cwd)
    assert result.returncode == 0, f"{' '.join(map(str, command))}\n{result.stdout[-4000:]}{result.stderr[-4000:]}"
    return result.stdout


def checkout(directory: Path) -> Path:
    """A copy of what the project ships, without anything that was built in the tree."""
    leave_out = shutil.ignore_patterns("__pycache__", "*.so", "*.c", "*.egg-info")
    directory.mkdir()
    for part in ("lbd", "conf", "systemd"):
        shutil.copytree(ROOT / part, directory / part, ignore=leave_out)
    for part in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / part, directory)
    return directory


def kernels() -> list[str]:
    """Path of each compiled module, without its suffix: lbd/http/head."""
    return [entry["name"].replace(".", "/") for entry in PROJECT["tool"]["setuptools"]["ext-modules"]]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout(tmp_path_factory.mktemp("package") / "source")


def paths(source: Path, pattern: str) -> set[str]:
    return {path.relative_to(source).as_posix() for path in source.glob(pattern)}


@pytest.fixture(scope="module")
def built(source: Path) -> Path:
    """Directory with the sdist, and the wheel that was built from the sdist alone."""
    done(sys.executable, "-m", "build", "--outdir", source.parent / "dist", cwd=source)
    generated = paths(source, "lbd/**/*.c")
    assert not generated, f"the build leaves generated code among the source: {generated}"
    return source.parent / "dist"


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`bin` of a new environment with the wheel and what it declares to need, nothing else."""
    place = tmp_path_factory.mktemp("installed")
    done(sys.executable, "-m", "venv", place / "venv", cwd=place)
    done(place / "venv/bin/pip", "install", "-q", "--only-binary", ":all:", *built.glob("*.whl"), cwd=place)
    return place / "venv/bin"


def test_sdist_has_what_a_build_needs(built: Path, source: Path) -> None:
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {f"{kernel}{suffix}" for kernel in kernels()
              for suffix in ((".py", ".pxd", ".c") if (source / f"{kernel}.py").is_file() else (".pyx", ".pyi", ".c"))}
    wanted |= paths(source, "lbd/**/*.px[di]") | paths(source, "conf/*") | paths(source, "systemd/*")
    wanted |= {"pyproject.toml", "README.md", "lbd/py.typed"} | paths(source, "lbd/guide/*")
    assert not wanted - names
    assert not [name for name in names if name.endswith(".so")]


def test_sdist_builds_without_cython(built: Path, tmp_path: Path) -> None:
    """The wheel of `built` is made of it in an environment that has what it asks for: no Cython."""
    with tarfile.open(next(built.glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path, filter="data")
    tree = next(tmp_path.iterdir())
    for kernel in kernels():      # not every unpacker keeps times
        os.utime(tree / f"{kernel}.c", (1, 1))
    asked = "from lbd import building; print(building.get_requires_for_build_wheel())"
    assert done(sys.executable, "-c", asked, cwd=tree).strip() == "[]"


def test_wheel_has_every_module_and_kernel(built: Path, source: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as archive:
        names = set(archive.namelist())
    assert not (paths(source, "lbd/**/*.py") | paths(source, "lbd/guide/*")) - names
    for kernel in kernels():
        assert [name for name in names if name.startswith(f"{kernel}.") and name.endswith(".so")], kernel
        assert f"{kernel}.pyi" in names or f"{kernel}.py" in names
    assert not [name for name in names if name.endswith(".c")]


def test_installed_command_says_its_version(installed: Path) -> None:
    assert VERSION in done(installed / "lbd", "--version", cwd=installed)
    assert VERSION in done(installed / "python", "-m", "lbd", "--version", cwd=installed)


def test_every_module_imports_with_the_declared_dependencies(installed: Path, source: Path) -> None:
    """A dependency that only the tests declare would be missing here. Left out: the build, and what needs an extra."""
    names = [path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
             for path in sorted(paths(source, "lbd/**/*.py") - {"lbd/__main__.py", "lbd/building.py"})]
    names.remove(SPANS)
    names += [kernel.replace("/", ".") for kernel in kernels()]
    done(installed / "python", "-I", "-c", f"import importlib\nfor name in {names}: importlib.import_module(name)",
         cwd=installed)


def test_installed_checks_the_configurations_it_ships(installed: Path, source: Path) -> None:
    found = sorted(installed.parent.glob("share/lbd/*.toml"))
    assert [path.name for path in found] == sorted(path.name for path in source.glob("conf/*.toml"))
    for path in found:
        done(installed / "lbd", "check", "-c", path, cwd=installed)


def test_installed_has_the_units(installed: Path, source: Path) -> None:
    for unit in source.glob("systemd/*"):
        assert (installed.parent / "share/lbd/systemd" / unit.name).read_text() == unit.read_text()


def test_installed_has_its_manual_page_where_man_looks(installed: Path) -> None:
    assert done(installed / "lbd", "man", cwd=installed) == (installed.parent / "share/man/man1/lbd.1").read_text()


def test_installed_shows_every_topic_of_its_guide(installed: Path, source: Path) -> None:
    for topic in source.glob("lbd/guide/*.md"):
        assert done(installed / "lbd", "help", topic.stem, cwd=installed) == guide.text(topic)


def test_broken_kernel_fails_the_build(tmp_path: Path) -> None:
    """Never a package that works, but slowly or not at all."""
    source = checkout(tmp_path / "source")
    kernel = source / f"{kernels()[0]}.pyx"
    kernel.write_text(kernel.read_text() + "\ncdef int broken(:\n")
    result = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", cwd=source)
    assert result.returncode != 0
    assert kernel.name in result.stdout + result.stderr
    assert not list(source.glob("dist/*.whl"))


def test_no_compiler_fails_the_build(tmp_path: Path) -> None:
    source = checkout(tmp_path / "source")
    result = run("env", "CC=/nonexistent/cc", sys.executable, "-m", "build", "--wheel", "--no-isolation", cwd=source)
    assert result.returncode != 0
    assert "/nonexistent/cc" in result.stdout + result.stderr
    assert not list(source.glob("dist/*.whl"))


def test_editable_install(tmp_path: Path) -> None:
    source = checkout(tmp_path / "source")
    done(sys.executable, "-m", "venv", tmp_path / "venv", cwd=tmp_path)
    done(tmp_path / "venv/bin/pip", "install", "-q", "-e", source, cwd=tmp_path)
    assert VERSION in done(tmp_path / "venv/bin/lbd", "--version", cwd=tmp_path)
    where = done(tmp_path / "venv/bin/python", "-c", f"import {kernels()[0].replace('/', '.')} as kernel\n"
                 "print(kernel.__file__)", cwd=tmp_path)
    assert where.startswith(str(source)), "a change of the source would not be seen"

"""The source tree as data: its files, their text and syntax, modules, imports, functions and classes."""

import ast
import re
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]


def tracked(*patterns: str) -> list[Path]:
    """Files of the tree that match a pattern of git and that git does not ignore, committed or not."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("the tree is not a git checkout")
    names = sorted(set(filter(None, listed.stdout.split("\0"))))
    return [path for path in (ROOT / name for name in names) if path.is_file()]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path), name(path))


def package(*more: str) -> list[Path]:
    """Source files of lbd: .py, .pyx, and those with the suffixes asked for."""
    return sorted(path for path in (ROOT / "lbd").rglob("*.p*") if path.suffix in (".py", ".pyx", *more))


def python() -> list[Path]:
    """All .py files, tests too."""
    return sorted([*(ROOT / "lbd").rglob("*.py"), *(ROOT / "tests").rglob("*.py")])


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module_name: str) -> str:
    """`proxy` of lbd.proxy.client; empty for the package itself."""
    return (*module_name.split("."), "")[1]


@cache
def modules() -> frozenset[str]:
    return frozenset(module(path) for path in package(".pxd"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, module) of every import in the file, wherever it stands."""
    if path.suffix in (".pyx", ".pxd"):
        for number, line in enumerate(text(path).splitlines(), 1):
            if found := re.match(r"\s*(?:from|c?import)\s+([\w.]+)", line):
                yield number, found[1]
        return
    here = module(path).split(".")
    parent = here if path.name == "__init__.py" else here[:-1]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            stem = ".".join([*parent[:len(parent) + 1 - node.level], *filter(None, [node.module])]) \
                if node.level else str(node.module)
            for alias in node.names:
                full = f"{stem}.{alias.name}"
                yield node.lineno, full if full in modules() else stem


def outside_of_functions(node: ast.AST) -> Iterator[ast.AST]:
    """Everything within, but for what is in a function or class."""
    left = [node]
    while left:
        for child in ast.iter_child_nodes(left.pop()):
            if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield child
                left.append(child)


def functions(path: Path) -> Iterator[tuple[int, str, int]]:
    """(line, name, length in lines) of every function."""
    if path.suffix == ".py":
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.lineno, node.name, (node.end_lineno or node.lineno) - node.lineno + 1
        return
    lines = text(path).splitlines()
    for number, line in enumerate(lines):
        found = re.match(r"(\s*)(?:def|cdef|cpdef)\b(?!\s+(?:extern|class|struct|enum|union)\b)[^=(]*?(\w+)\s*\(", line)
        if not found:
            continue
        head, open_brackets = number, line.count("(") - line.count(")")
        while open_brackets > 0 and head + 1 < len(lines):       # a signature may go over several lines
            head += 1
            open_brackets += lines[head].count("(") - lines[head].count(")")
        if not lines[head].split("#")[0].rstrip().endswith(":"):
            continue         # a declaration or an expression, no body
        end = head
        for below in range(head + 1, len(lines)):
            if lines[below].strip() and len(lines[below]) - len(lines[below].lstrip()) <= len(found[1]):
                break
            end = below if lines[below].strip() else end
        yield number + 1, found[2], end - number + 1


class ClassDefinition(NamedTuple):
    """A class of lbd: where it is, its bases by their last names, and the names of its methods and attributes."""

    path: Path
    line: int
    name: str
    bases: tuple[str, ...]
    methods: frozenset[str]
    attributes: frozenset[str]


def classes(path: Path) -> Iterator[ClassDefinition]:
    """Every class of the file, nested ones too; of kernels, names and bases only."""
    if path.suffix != ".py":
        for number, line in enumerate(text(path).splitlines(), 1):
            if found := re.match(r"\s*(?:cdef |cpdef )?class (\w+)(?:\(([\w., ]*)\))?\s*:", line):
                bases = tuple(base.strip().rpartition(".")[2] for base in (found[2] or "").split(",") if base.strip())
                yield ClassDefinition(path, number, found[1], bases, frozenset(), frozenset())
        return
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ClassDef):
            bases = tuple(ast.unparse(base).partition("[")[0].rpartition(".")[2] for base in node.bases)
            methods = {item.name for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)}
            yield ClassDefinition(path, node.lineno, node.name, bases, frozenset(methods), frozenset(_attributes(node)))


def _attributes(node: ast.ClassDef) -> Iterator[str]:
    """Names that instances have: slots, annotated fields, and what methods assign to `self`."""
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) \
                and "ClassVar" not in ast.unparse(item.annotation):
            yield item.target.id
    for item in ast.walk(node):
        if isinstance(item, ast.Attribute) and isinstance(item.ctx, ast.Store) and ast.unparse(item.value) == "self":
            yield item.attr


@cache
def definitions() -> Mapping[str, ClassDefinition]:
    """Every class of lbd by its name."""
    return {found.name: found for path in package() for found in classes(path)}


@cache
def depth(title: str) -> int:
    """Classes of lbd in the longest line of inheritance that ends with this one; 0 for exceptions and protocols."""
    if title in ("Exception", "BaseException", "Protocol"):
        return -99
    if title not in definitions():
        return 0
    return max(0, 1 + max((depth(base) for base in definitions()[title].bases), default=0))


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of every docstring."""
    if path.suffix != ".py":
        for found in re.finditer(r'^\s*"""(.*?)"""', text(path), re.DOTALL | re.MULTILINE):
            yield text(path).count("\n", 0, found.start(1)) + 1, found[1]
        return
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) \
                and (documentation := ast.get_docstring(node)):
            yield node.body[0].lineno, documentation


def folders() -> Mapping[str, set[str]]:
    """Modules (`x.py`, `.pyx`, `.pxd` and `.pyi` of one name are one) by the folder of lbd that they are in."""
    found: dict[str, set[str]] = {}
    for path in package(".pxd", ".pyi"):
        if path.stem != "__init__":
            found.setdefault(name(path.parent), set()).add(path.stem)
    return found

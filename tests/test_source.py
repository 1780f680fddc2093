"""The architecture as tests: layers, sizes, names, pairs, lint, types and stubs of the whole source tree."""

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# A module may import its own room and strictly lower rungs. The package itself (its version) is below everything.
RUNGS = (("__main__",), ("cli",), ("control",), ("report",), ("reload",), ("generation", "simulation"),
         ("workers",), ("process", "discovery", "proxy"), ("admin", "upstream", "routing", "health", "balance"),
         ("backend",), ("tls", "access_log"), ("config",), ("net",), ("schema", "stats", "http"), ("log",),
         ("errors", "building"), ("",))
RUNG = {room: height for height, rooms in enumerate(reversed(RUNGS)) for room in rooms}

PURE = {"config", "schema", "http", "backend", "balance"}
IMPURE = {"asyncio", "socket", "ssl", "uvloop", "aiohttp"}

MAX_FILE = 400
MAX_FUNCTION = 50
MAX_MEDIAN = 120
LONG_FILE = 300

TASKS = "lbd/net/tasks.py"   # the one place that names and keeps tasks
TASK_MAKERS = {"create_task", "ensure_future"}

# What every compiled module has beside what its author wrote; its classes do not tell the arguments of __cinit__.
OF_CYTHON = (r".*\.__(reduce|setstate)_cython__", r".*\.__(test|pyx_capi)__", r".*\.__init__")

TOP_LEVEL = {"pyproject.toml", "README.md", "lbd", "conf", "systemd", "tests"}
VAGUE = {"util", "utils", "utility", "helper", "helpers", "common", "misc", "manager", "managers", "base"}

# Tests that are of no single module.
UNPAIRED_ROOMS = {"system", "bench", "wire", "chaos", "fuzz"}
UNPAIRED = {"tests/test_source.py", "tests/test_package.py"}

# Where tests may sleep, by why; bench, chaos and fuzz are no part of the suite.
SLEEPS = {"tests/waiting.py": "polls for all", "tests/system/wicked.py": "servers that are slow",
          "tests/system/load.py": "the pace of clients", "tests/system/test_bounds.py": "the pace of clients",
          "tests/system/test_fleet.py": "the pace of servers that come and go",
          "tests/system/test_reload_load.py": "the pace of clients"}
CLOCKS = ("monotonic", "perf_counter", "loop.time", "loop().time")

# What belongs to how the work was done, not to the work. Pieced together so that this line does not find itself.
WORDS = re.compile(r"\bissue [#]?\d|\b[e]ngineers?\b|[/]work/|[/]root/|\b[h]ot-path\b|\bsub-?[a]gents?\b"
                   r"|\b(?:design|style|reference)[.]md\b|\b[l]anguage model", re.IGNORECASE)


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


def check(found: list[str], what_to_do: str) -> None:
    if found:
        pytest.fail(f"{what_to_do}\n" + "\n".join(f"  {line}" for line in found), pytrace=False)


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


def test_ladder() -> None:
    found = []
    for path in package(".pxd"):
        own = room(module(path))
        if own not in RUNG:
            found.append(f"{name(path)}: room {own!r} stands on no rung")
            continue
        for line, target in imports(path):
            if target.split(".")[0] != "lbd" or room(target) == own:
                continue
            if RUNG.get(room(target), len(RUNGS)) >= RUNG[own]:
                found.append(f"{name(path)}:{line}: {own or 'lbd'} imports {target}")
    check(found, "Imports run downwards only, and rooms on one rung do not know each other: move what both need to a "
                 "lower room, or hand it over as an argument.")


def test_pure_rooms() -> None:
    found = [f"{name(path)}:{line}: imports {target}" for path in package(".pxd") if room(module(path)) in PURE
             for line, target in imports(path) if target.split(".")[0] in IMPURE]
    check(found, f"{', '.join(sorted(PURE))} do no I/O: bytes or facts in, bytes or decisions out.")


def outside_of_functions(node: ast.AST) -> Iterator[ast.AST]:
    """Everything within, but for what is in a function or class."""
    left = [node]
    while left:
        for child in ast.iter_child_nodes(left.pop()):
            if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield child
                left.append(child)


def test_imports_stand_at_the_top() -> None:
    found = []
    for path in python():
        at_top = set(outside_of_functions(tree(path)))
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import | ast.ImportFrom) and node not in at_top:
                found.append(f"{name(path)}:{node.lineno}: import inside a function or class")
            elif isinstance(node, ast.Name | ast.Attribute) and "TYPE_CHECKING" in (
                    getattr(node, "id", ""), getattr(node, "attr", "")):
                found.append(f"{name(path)}:{node.lineno}: TYPE_CHECKING")
    check(found, "Import at the top of the file; where that makes a cycle, the cycle is the fault.")


def test_no_cycles() -> None:
    graph: dict[str, set[str]] = {here: set() for here in modules()}
    for path in package(".pxd"):        # a kernel's own .pxd is part of it
        graph[module(path)] |= {target for _, target in imports(path) if target in modules()} - {module(path)}
    # Whoever is left after taking away, again and again, all that import nothing that is left, is in or above a cycle.
    for edges in (graph, {here: {other for other in graph if here in graph[other]} for here in graph}):
        left = set(graph)
        while leaves := {here for here in left if not (edges[here] - {here}) & left}:
            left -= leaves
        graph = {here: targets & left for here, targets in graph.items() if here in left}
    check([f"{here} -> {', '.join(sorted(targets))}" for here, targets in sorted(graph.items())],
          "These modules import each other in a circle: move what they share into a module below both.")


def test_files_are_short() -> None:
    sizes = {name(path): len(text(path).splitlines()) for path in {*package(".pxd"), *python()}}
    check([f"{size:5} {path}" for path, size in sorted(sizes.items()) if size > MAX_FILE],
          f"A file has at most {MAX_FILE} lines: it has a second noun, which wants a file of its own.")


def test_most_files_are_shorter() -> None:
    sizes = sorted(len(text(path).splitlines()) for path in package() if path.name != "__init__.py")
    assert statistics.median(sizes) <= MAX_MEDIAN, f"half of the files of lbd have more than {MAX_MEDIAN} lines"
    long = sum(size > LONG_FILE for size in sizes)
    assert long <= max(1, len(sizes) // 10), f"{long} of {len(sizes)} files of lbd have more than {LONG_FILE} lines"


def test_functions_are_short() -> None:
    check([f"{name(path)}:{line}: {function} has {length} lines" for path in sorted({*package(".pxd"), *python()})
           for line, function, length in functions(path) if length > MAX_FUNCTION],
          f"A function has at most {MAX_FUNCTION} lines: name its parts.")


def test_files_say_what_they_are() -> None:
    found = []
    for path in sorted({*package(".pxd", ".pyi"), *python()}):
        bare = re.sub(r"\A(?:#.*\n|\s)*", "", text(path))
        opening = re.match(r'"""(.+?)(?:\n\s*\n|""")', bare, re.DOTALL)
        if not opening or not opening[1].strip().endswith((".", "?", "!")):
            found.append(name(path))
    check(found, "Every file opens with a docstring whose first paragraph is one sentence saying what the file is.")


def test_names_are_nouns() -> None:
    found = [name(path) for path in tracked("lbd", "tests") if VAGUE & set(path.stem.split("_"))]
    found += [f"{name(path)}:{node.lineno}: class {node.name}" for path in python() for node in ast.walk(tree(path))
              if isinstance(node, ast.ClassDef) and re.search("Manager|Helper|Util", node.name)]
    check(found, "These names say nothing: call the file or class by what it holds.")


def test_every_module_has_its_tests() -> None:
    found = []
    for path in package():
        inside = path.relative_to(ROOT / "lbd")
        if path.stem in ("__init__", "__main__"):
            continue
        want = ROOT / "tests" / inside.parent / f"test_{path.stem}.py"
        if not want.is_file():
            found.append(f"{name(path)} wants {name(want)}")
    check(found, "Every module has a test module of its name.")


def test_every_test_has_its_module() -> None:
    found = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        inside = path.relative_to(ROOT / "tests")
        if inside.parts[0] in UNPAIRED_ROOMS or name(path) in UNPAIRED:
            continue
        want = ROOT / "lbd" / inside.parent / path.stem.removeprefix("test_")
        if not any(want.with_suffix(suffix).is_file() for suffix in (".py", ".pyx", ".pxd")) \
                and not (want / "__init__.py").is_file():
            found.append(f"{name(path)} tests no {name(want)}.py")
    check(found, "A test module is named by the module it tests; what drives the daemon goes to tests/system.")


def test_tasks_are_kept() -> None:
    found = [f"{name(path)}:{node.lineno}: {node.attr}" for path in sorted((ROOT / "lbd").rglob("*.py"))
             if name(path) != TASKS for node in ast.walk(tree(path))
             if isinstance(node, ast.Attribute) and node.attr in TASK_MAKERS]
    check(found, f"A task that nobody holds can vanish, and its error with it: start it through {TASKS}.")


def test_tests_await_events() -> None:
    found = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        if path.relative_to(ROOT / "tests").parts[0] in ("bench", "chaos", "fuzz"):
            continue
        for node in ast.walk(tree(path)):
            called = [ast.unparse(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)] \
                if isinstance(node, ast.Call | ast.Assert) else []
            if isinstance(node, ast.Call) and called[0] in ("sleep", "asyncio.sleep", "time.sleep") \
                    and name(path) not in SLEEPS:
                found.append(f"{name(path)}:{node.lineno}: {called[0]}")
            elif isinstance(node, ast.Assert) and any(call.endswith(CLOCKS) for call in called):
                found.append(f"{name(path)}:{node.lineno}: asserts what a clock says")
    check(found, "Wait for the event, by tests/waiting.py or `until` of tests/system; its duration proves nothing.")


def test_top_level() -> None:
    found = {path.relative_to(ROOT).parts[0] for path in tracked()}
    check(sorted(part for part in found - TOP_LEVEL if not part.startswith(".")),
          f"The top level holds {', '.join(sorted(TOP_LEVEL))} and dot-files only.")


def test_no_generated_code() -> None:
    check([name(path) for path in tracked("*.c", "*.cpp", "*.so", "*.html") if "page" not in path.parts],
          "Generated code does not belong to the tree: delete it.")


def test_speaks_of_itself_only() -> None:
    found = []
    for path in tracked():
        try:
            lines = text(path).splitlines()
        except UnicodeDecodeError:
            continue
        found += [f"{name(path)}:{number}: {hit[0]!r}" for number, line in enumerate(lines, 1)
                  if (hit := WORDS.search(line))]
    check(found, "The tree speaks of lbd, not of how or where it was made: say it otherwise.")


def run(*command: str) -> None:
    """Run a checker on the tree; its own cache in the tree makes the second run quick."""
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        pytest.fail(f"{' '.join(command)}\n{done.stdout[-8000:]}{done.stderr[-4000:]}", pytrace=False)


def test_ruff() -> None:
    run("ruff", "check", "--output-format=concise", "lbd", "tests")


@pytest.mark.timeout(300)
def test_types() -> None:
    run("mypy", "--strict")


@pytest.mark.timeout(300)
def test_stubs_in_step(tmp_path: Path) -> None:
    """Every public name of a compiled kernel is in its stub, with the same signature, and the other way round."""
    kernels = [path for path in package() if path.suffix == ".pyx"]
    check([name(path) for path in kernels if not path.with_suffix(".pyi").is_file()], "Every kernel has a stub (.pyi).")
    check([name(path) for path in kernels if not list(path.parent.glob(f"{path.stem}.*.so"))],
          "These kernels are not built in the tree: run `pip install -e .`.")
    stale = [name(path) for path in kernels for built in path.parent.glob(f"{path.stem}.*.so")
             if built.stat().st_mtime < path.stat().st_mtime]
    check(stale, "These kernels were changed since they were built: run `pip install -e .`.")
    allowed = tmp_path / "allowed"
    allowed.write_text("\n".join(OF_CYTHON))
    run("mypy.stubtest", "--mypy-config-file", "pyproject.toml", "--concise", "--ignore-disjoint-bases",
        "--ignore-unused-allowlist", "--allowlist", str(allowed), *map(module, kernels))


def test_every_kernel_is_built_by_the_package() -> None:
    listed = tomllib.loads(text(ROOT / "pyproject.toml"))["tool"]["setuptools"]["ext-modules"]
    assert {entry["name"] for entry in listed} == {module(path) for path in package() if path.suffix == ".pyx"}, \
        "ext-modules of pyproject.toml and the .pyx files of lbd differ"


# One interpreter imports what others wrote, then forks one child per module of lbd: a fresh lbd each, in milliseconds.
IMPORT_ALONE = """
import importlib, os, sys, traceback, warnings
libraries, modules = sys.argv[1].split(","), sys.argv[2].split(",")
for library in libraries:
    importlib.import_module(library)
failed = 0
for module in modules:
    child = os.fork()
    if not child:
        warnings.simplefilter("error")
        try:
            importlib.import_module(module)
        except BaseException:
            print(module, traceback.format_exc(limit=-2), sep=": ", flush=True)
            os._exit(1)
        os._exit(0)
    failed |= os.waitpid(child, 0)[1]
sys.exit(bool(failed))
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_module_imports_alone() -> None:
    """With warnings as errors, and whatever else was imported before."""
    foreign = {target.split(".")[0] for path in package() for _, target in imports(path)}
    libraries = sorted(foreign - {"lbd", "cython", "libc", "cpython", "posix", "__future__"})
    wanted = sorted(module(path) for path in package() if path.stem != "__main__")
    done = subprocess.run([sys.executable, "-c", IMPORT_ALONE, ",".join(["ast", *libraries]), ",".join(wanted)],
                          cwd=ROOT, capture_output=True, text=True)
    check([*done.stdout.splitlines(), *done.stderr.splitlines()] if done.returncode else [],
          "These modules do not import alone: what they need must be imported by themselves, without a warning.")

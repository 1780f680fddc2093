"""The architecture as tests: layers, sizes, names, pairs, lint, types and stubs of the whole source tree."""

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from lbd import building
from tests.source_tree import (
    ROOT,
    classes,
    definitions,
    depth,
    docstrings,
    folders,
    functions,
    imports,
    module,
    modules,
    name,
    outside_of_functions,
    package,
    python,
    room,
    text,
    tracked,
    tree,
)

# A module may import its own room and strictly lower rungs. The package itself (its version) is below everything.
RUNGS = (("__main__",), ("cli",), ("control",), ("report",), ("reload",), ("generation", "simulation"),
         ("workers",), ("process", "discovery", "proxy"),
         ("admin", "access_log", "downstream", "upstream", "filters", "health", "balance"), ("exchange",), ("routing",),
         ("backend",), ("tls",), ("config",), ("net",), ("schema", "stats", "http"), ("log",),
         ("errors", "building", "installation", "wording"), ("",))
RUNG = {room: height for height, rooms in enumerate(reversed(RUNGS)) for room in rooms}

PURE = {"config", "schema", "http", "backend", "balance"}
IMPURE = {"asyncio", "socket", "ssl", "uvloop", "aiohttp"}

MAX_FILE = 400
MAX_FUNCTION = 50
MAX_MEDIAN = 120
LONG_FILE = 300

MAX_MODULES = 25     # of one folder
MAX_KINDS = 60       # of a folder that holds one file for each kind of a thing
KINDS = {"lbd/cli/commands", "lbd/admin/resources", "lbd/balance"}
MAX_SHARE = 0.15     # of all lines, in one room
MAX_DEPTH = 2        # classes from the one below object to the last that inherits
MAX_METHODS = 20
MAX_ATTRIBUTES = 15
MAX_README = 150

LARGE = {"Exchange": (30, 40)}      # methods and attributes of the class that has every step of a request
# Uses of `Any` in each room that has some: a number here only ever falls.
ANY = {"access_log": 1, "admin": 50, "backend": 23, "balance": 6, "building": 2, "cli": 56, "config": 84,
       "control": 37, "generation": 20, "health": 11, "log": 19, "net": 22, "proxy": 4, "reload": 14, "report": 27,
       "routing": 2, "schema": 81, "simulation": 8, "tls": 6, "upstream": 2, "workers": 8}

# A docstring begins with the name of its subject or with a verb.
VAGUE_SUBJECT = re.compile(r"(What|Who|One|Somebody|Someone|Whoever|Whatever|Those|That)\b")

# Says of an import in a function why: something heavy that most processes never need.
LATE = re.compile(r"# late: \S")

TASKS = "lbd/net/tasks.py"   # the one place that names and keeps tasks
TASK_MAKERS = {"create_task", "ensure_future"}

# What every compiled module has beside what its author wrote; its classes do not tell the arguments of __cinit__.
OF_CYTHON = (r".*\.__(reduce|setstate)_cython__", r".*\.__(test|pyx_capi)__", r".*\.__init__")

TOP_LEVEL = {"pyproject.toml", "README.md", "lbd", "conf", "systemd", "tests"}
VAGUE = {"util", "utils", "utility", "helper", "helpers", "common", "misc", "manager", "managers", "base"}

# Tests that are of no single module.
UNPAIRED_ROOMS = {"system", "bench", "wire", "chaos", "fuzz"}
UNPAIRED = {"tests/test_source.py", "tests/test_package.py", "tests/test_uncompiled.py"}

# Where tests may sleep, by why; bench, chaos and fuzz are no part of the suite.
SLEEPS = {"tests/waiting.py": "polls for all", "tests/system/wicked.py": "servers that are slow",
          "tests/system/load.py": "the pace of clients", "tests/system/test_bounds.py": "the pace of clients",
          "tests/system/test_fleet.py": "the pace of servers that come and go",
          "tests/system/test_reload_load.py": "the pace of clients"}
CLOCKS = ("monotonic", "perf_counter", "loop.time", "loop().time")

# What belongs to how the work was done, not to the work. Pieced together so that this line does not find itself.
WORDS = re.compile(r"\bissue [#]?\d|\b[e]ngineers?\b|[/]work/|[/]root/|\b[h]ot-path\b|\bsub-?[a]gents?\b"
                   r"|\b(?:design|style|reference)[.]md\b|\b[l]anguage model", re.IGNORECASE)


def check(found: list[str], what_to_do: str) -> None:
    if found:
        pytest.fail(f"{what_to_do}\n" + "\n".join(f"  {line}" for line in found), pytrace=False)


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


def test_rooms_are_small() -> None:
    found = [f"{folder} has {len(names)} modules" for folder, names in sorted(folders().items())
             if len(names) > (MAX_KINDS if folder in KINDS else MAX_MODULES)]
    lines = Counter[str]()
    for path in package(".pxd", ".pyi"):
        lines[room(module(path))] += len(text(path).splitlines())
    found += [f"lbd/{own} has {count / lines.total():.0%} of all lines" for own, count in lines.items()
              if count > MAX_SHARE * lines.total()]
    check(found, f"A room has at most {MAX_MODULES} modules and {MAX_SHARE:.0%} of the code: it holds two nouns.")


def test_rooms_say_what_they_import() -> None:
    """By their rung, so that the sentence and the ladder do not part."""
    found = []
    for own in sorted(path.parent.name for path in (ROOT / "lbd").glob("*/__init__.py")):
        below = RUNGS[next(number for number, rooms in enumerate(RUNGS) if own in rooms) + 1]
        says = re.sub(r"\s+", " ", ast.get_docstring(tree(ROOT / "lbd" / own / "__init__.py")) or "").partition(". ")[0]
        want = f"; imports {', '.join(below)} and below"
        if not says.removesuffix(".").endswith(want):
            found.append(f"lbd/{own}/__init__.py: wants the sentence to end in {want!r}")
    check(found, "A room's first sentence says what lives there and what it may import.")


def test_class_names_are_unique() -> None:
    places: dict[str, list[str]] = {}
    for path in package():
        for found in classes(path):
            places.setdefault(found.name, []).append(name(path))
    check([f"{title}: {', '.join(where)}" for title, where in sorted(places.items()) if len(where) > 1],
          "A class has a name of its own in lbd: say what tells it from the other.")


def test_classes_are_shallow() -> None:
    check([f"{name(one.path)}:{one.line}: {one.name} is {depth(one.name)} deep" for one in definitions().values()
           if depth(one.name) > MAX_DEPTH],
          f"A class is at most {MAX_DEPTH} deep: hold what it needs instead of inheriting it.")


def test_classes_are_small() -> None:
    found = [f"{name(one.path)}:{one.line}: {one.name} has {len(one.methods)} methods, {len(one.attributes)} attributes"
             for one in definitions().values() if room(module(one.path)) != "schema"
             and any(len(found) > most for found, most in zip(
                 (one.methods, one.attributes), LARGE.get(one.name, (MAX_METHODS, MAX_ATTRIBUTES)), strict=True))]
    check(found, f"A class has at most {MAX_METHODS} methods and {MAX_ATTRIBUTES} attributes: it holds two ideas.")


def test_any_only_falls() -> None:
    counts = Counter[str]()
    for path in package():
        if path.suffix == ".py":
            names = (node.id for node in ast.walk(tree(path)) if isinstance(node, ast.Name))
            counts[room(module(path))] += sum(identifier == "Any" for identifier in names)
    check([f"lbd/{own}: {counts[own]} uses of Any, {ANY.get(own, 0)} in the table" for own in sorted({*counts, *ANY})
           if counts[own] != ANY.get(own, 0)],
          "Give it a type; where there are fewer than before, write the lower number into the table.")


def test_docstrings_name_their_subject() -> None:
    check([f"{name(path)}:{line}: {documentation.splitlines()[0]}"
           for path in sorted({*package(".pxd", ".pyi"), *python()}) for line, documentation in docstrings(path)
           if VAGUE_SUBJECT.match(documentation)],
          "A docstring begins with the name of its subject or with a verb.")


def test_readme_is_short() -> None:
    assert len(text(ROOT / "README.md").splitlines()) <= MAX_README, "README is an entrance: the rest is a guide's"


def test_pure_rooms() -> None:
    found = [f"{name(path)}:{line}: imports {target}" for path in package(".pxd") if room(module(path)) in PURE
             for line, target in imports(path) if target.split(".")[0] in IMPURE]
    check(found, f"{', '.join(sorted(PURE))} do no I/O: bytes or facts in, bytes or decisions out.")


def test_imports_stand_at_the_top() -> None:
    found = []
    for path in python():
        at_top, lines = set(outside_of_functions(tree(path))), text(path).splitlines()
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import | ast.ImportFrom) and node not in at_top:
                if not LATE.search(lines[node.lineno - 1]):
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
    compiled = building.kernels(ROOT / "lbd")
    check([name(path) for path in kernels if not path.with_suffix(".pyi").is_file()], "Every kernel has a stub (.pyi).")
    check([name(path) for path in compiled if not list(path.parent.glob(f"{path.stem}.*.so"))],
          "These kernels are not built in the tree: run `pip install -e .`.")
    stale = [name(path) for path in compiled for built in path.parent.glob(f"{path.stem}.*.so")
             if built.stat().st_mtime < path.stat().st_mtime]
    check(stale, "These kernels were changed since they were built: run `pip install -e .`.")
    allowed = tmp_path / "allowed"
    allowed.write_text("\n".join(OF_CYTHON))
    run("mypy.stubtest", "--mypy-config-file", "pyproject.toml", "--concise", "--ignore-disjoint-bases",
        "--ignore-unused-allowlist", "--allowlist", str(allowed), *map(module, kernels))


def test_every_kernel_is_built_by_the_package() -> None:
    listed = tomllib.loads(text(ROOT / "pyproject.toml"))["tool"]["setuptools"]["ext-modules"]
    assert {entry["name"]: entry["sources"] for entry in listed} == {
        module(path): [name(path)] for path in building.kernels(ROOT / "lbd")}, \
        "ext-modules of pyproject.toml and the compiled modules of lbd differ"


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

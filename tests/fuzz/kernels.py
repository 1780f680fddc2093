"""`python -m tests.fuzz.kernels TARGET`: fuzz what reads foreign bytes, guided by the coverage it reaches (atheris).

Kernels are built by clang with coverage and AddressSanitizer, in a copy of the tree. A run ends with the first finding,
which becomes a file of tests/fuzz/corpus/TARGET, when its time is up, or when nothing new was covered for a while.
"""

import argparse
import importlib.util
import os
import random
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz import sanitized
from tests.fuzz.targets import CORPUS, TARGETS

COVERED = "-fsanitize=fuzzer-no-link,address -fno-omit-frame-pointer"     # of the compiler: the runtime is preloaded
PRELOADED = "asan_with_fuzzer.so"        # AddressSanitizer and libFuzzer, beside atheris
IDLE = 600.0                             # seconds without new coverage after which a run ends
STATUS = re.compile(r"#(\d+)\t.* cov: (\d+) ft: (\d+)")
TOTAL = re.compile(r"stat::number_of_executed_units: (\d+)")


class Watch:
    """How far a run of libFuzzer is, by what it says: executions, edges and features that were reached."""

    def __init__(self) -> None:
        self.executions = self.edges = self.features = 0
        self.begun = self.grown = time.monotonic()
        self.said: list[str] = []

    def hear(self, line: str) -> None:
        """A line that libFuzzer wrote."""
        if found := STATUS.match(line):
            self.executions, edges, self.features = map(int, found.groups())
            if edges > self.edges:
                self.edges, self.grown = edges, time.monotonic()
        elif found := TOTAL.match(line):
            self.executions = int(found[1])
        else:
            self.said.append(line)

    def ended(self, seconds: float) -> str:
        """Why to end now; empty to go on."""
        now = time.monotonic()
        if now >= self.begun + seconds:
            return "the time was up"
        return f"nothing new was covered for {IDLE / 60:.0f} minutes" if now >= self.grown + IDLE else ""


def missing(compiled: bool) -> str:
    """Programs that have to be installed first, and how; empty if there are none."""
    if importlib.util.find_spec("atheris") is None:
        return "atheris is not installed: pip install -e '.[fuzz]'"
    if not compiled:
        return ""
    if shutil.which("clang") is None:
        return "clang is not installed, which builds kernels that tell their coverage: apt-get install clang"
    if not preloaded().is_file():
        return f"{preloaded()} is missing: pip install --no-binary atheris --force-reinstall atheris, with clang there"
    return ""


def preloaded() -> Path:
    """The library that must be loaded before all others."""
    spec = importlib.util.find_spec("atheris")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parents[1] / PRELOADED


def build(directory: Path) -> Path:
    """Copy the tree there and build its kernels with coverage; returns the copy."""
    return sanitized.built(directory, {"CC": f"clang {COVERED}", "LDSHARED": "clang -shared", "CFLAGS": "-g1 -w"})


def environment(tree: Path, room: Path, compiled: bool) -> dict[str, str]:
    """The environment of the process that fuzzes; its own files go to the room."""
    found = {**os.environ, "PYTHONPATH": str(tree), "TMPDIR": str(room), "PYTHONDONTWRITEBYTECODE": "1"}
    if compiled:
        found |= {"LD_PRELOAD": str(preloaded()), "PYTHONMALLOC": "malloc",
                  "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:handle_segv=1"}
    return found


def command(name: str, seed: int, room: Path, grown: Path) -> list[str]:
    """The process that fuzzes: it adds to the corpus `grown`, and begins with the seeds of the tree too."""
    words = room / "words"
    words.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in TARGETS[name].words))
    return [sys.executable, "-m", "tests.fuzz.hunt", name, f"-seed={seed}", f"-max_len={TARGETS[name].longest}",
            f"-dict={words}", "-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1", "-reload=0",
            f"-artifact_prefix={CORPUS / name}/found-", str(grown), str(CORPUS / name)]


def fuzz(name: str, seconds: float, seed: int, tree: Path, room: Path, grown: Path) -> int:
    """Run a target; print how it went and return 1 if there is a finding."""
    seeds = CORPUS / name
    seeds.mkdir(parents=True, exist_ok=True)
    before = set(seeds.iterdir())
    watch, why = Watch(), ""
    with subprocess.Popen(command(name, seed, room, grown), cwd=tree, stderr=subprocess.PIPE,
                          env=environment(tree, room, TARGETS[name].compiled)) as process:
        assert process.stderr is not None
        chosen = selectors.DefaultSelector()
        chosen.register(process.stderr, selectors.EVENT_READ)
        rest, told = b"", watch.begun
        while True:
            if chosen.select(1.0):
                if not (piece := os.read(process.stderr.fileno(), 1 << 16)):
                    break
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    watch.hear(line.decode(errors="replace"))
            if not why and (why := watch.ended(seconds)):
                process.send_signal(signal.SIGUSR1)        # libFuzzer ends by itself, with its figures
            if time.monotonic() >= told + 30:
                told = time.monotonic()
                print(f"{told - watch.begun:6.0f} s  {figures(watch)}", flush=True)
    found = sorted(set(seeds.iterdir()) - before)
    if process.returncode and not (why and not found):
        print("\n".join(watch.said[-80:]))
        why = f"exit code {process.returncode}"
    print(f"{name}: {figures(watch)}, {time.monotonic() - watch.begun:.0f} s, seed {seed}: "
          f"{'a finding' if found else why}", flush=True)
    for file in found:
        print(f"FOUND {file}: mend it, and leave the file where it is as a test")
    return 1 if found or process.returncode else 0


def figures(watch: Watch) -> str:
    """How far it is, in words."""
    return f"{watch.executions:,} executions, {watch.edges:,} edges and {watch.features:,} features covered"


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.fuzz.kernels", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--minutes", type=float, default=60.0, help="at most so long (default: an hour)")
    parser.add_argument("--seed", type=int, default=random.randrange(1, 2**31))
    parser.add_argument("--tree", type=Path, help="a tree with kernels that --build made; default: build one")
    parser.add_argument("--build", type=Path, metavar="DIRECTORY", help="build DIRECTORY/tree for --tree, and no more")
    parser.add_argument("--corpus", type=Path, help="a directory that keeps what covers more, and is begun with")
    asked = parser.parse_args()
    compiled = TARGETS[asked.target].compiled
    if needed := missing(compiled):
        print(needed)
        return 2
    if asked.build:
        print(build(asked.build))
        return 0
    with tempfile.TemporaryDirectory(prefix="lbd-fuzz-") as directory:
        room = Path(directory)
        tree = (asked.tree or build(room)) if compiled else sanitized.ROOT
        grown = (asked.corpus or room / "corpus").absolute()
        grown.mkdir(parents=True, exist_ok=True)
        return fuzz(asked.target, asked.minutes * 60, asked.seed, tree.absolute(), room, grown)


if __name__ == "__main__":
    sys.exit(main())

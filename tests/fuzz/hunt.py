"""`python -m tests.fuzz.hunt TARGET ...`: the process that fuzzes one target; the rest are arguments of libFuzzer.

Python code is instrumented while it is imported, so that nothing of lbd may be imported before.
"""

import importlib
import sys

PYTHON = ["lbd", "tomllib"]      # whose coverage guides


def main() -> None:
    name, *options = sys.argv[1:]
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=PYTHON):
        targets = importlib.import_module("tests.fuzz.targets")
    atheris.Setup([name, *options], targets.TARGETS[name].check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

"""`python -m lbd`: the same as the console script `lbd`."""

import contextlib
import sys
from pathlib import Path

try:
    from lbd.cli import main
except ModuleNotFoundError as error:
    if str(error.name).partition(".")[0] == "lbd":
        raise
    sys.exit(f"lbd: {sys.executable} has no module {error.name}, which lbd needs: run an installed lbd by its command, "
             "lbd, or first pip install .")

if __name__ == "__main__":
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text("lbd")     # as ps and "in use by" show it, after an upgrade in place too
    sys.exit(main())

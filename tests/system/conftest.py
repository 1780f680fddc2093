"""What every system test may ask for."""

import importlib.util
import sys
from pathlib import Path

# pytest's import mode leaves sys.path alone: tests that share the daemon object find it by this name.
_spec = importlib.util.spec_from_file_location("lbd_process", Path(__file__).with_name("lbd_process.py"))
assert _spec is not None
assert _spec.loader is not None
sys.modules["lbd_process"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(sys.modules["lbd_process"])

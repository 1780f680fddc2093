"""Cost of a start: a worker loads what it needs for requests and nothing that only the supervisor needs."""

import subprocess
import sys

from lbd_process import ROOT

SUPERVISORS = {"aiohttp", "aiodns", "prometheus_client", "rich", "watchfiles", "tomli_w", "lbd.admin", "lbd.cli",
               "lbd.health.schedule", "lbd.generation.control_plane"}


def test_a_worker_loads_nothing_of_the_supervisors():
    code = "import sys, lbd.control.worker; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not SUPERVISORS & set(loaded.stdout.split())

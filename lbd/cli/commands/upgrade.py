"""`lbd upgrade`: the running daemon becomes the version on disk, in place and without losing a request."""

import argparse
import json
import threading
import time
from typing import Any

from lbd.cli import daemon_client
from lbd.errors import LbdError

LONGEST = 90.0   # seconds until the new version has to serve
PAUSE = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that select the daemon, and the format of the outcome."""
    daemon_client.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")


def run(args: argparse.Namespace) -> int:
    """Request the upgrade and wait until the new version serves: 0. Raises `LbdError` (1)."""
    daemon = daemon_client.find_daemon(args)
    answer = daemon.send_request("POST", "/v1/upgrade")
    if answer.status != 202 or not isinstance(answer.data, dict):
        raise LbdError(f"nothing was changed: {answer.error}")
    status = waited(daemon, int(answer.data["upgrades"]))
    if args.json:
        print(json.dumps({**answer.data, "generation": status["generation"]}, indent=2))
    else:
        print(f"upgraded: lbd {answer.data['from']} -> {status['version']}, generation {status['generation']}")
    return 0


def waited(daemon: daemon_client.DaemonClient, before: int) -> dict[str, Any]:
    """The status of the next version, once it serves; meanwhile nobody may answer at its address."""
    end = time.monotonic() + LONGEST
    pause = threading.Event()
    while time.monotonic() < end:
        try:
            answer = daemon.send_request("GET", "/v1/status", timeout=5.0)
        except LbdError:
            answer = daemon_client.DaemonAnswer(0, None)
        status = answer.data if isinstance(answer.data, dict) else {}
        if status.get("upgrades", 0) > before and status.get("state") == "ready":
            return status
        pause.wait(PAUSE)
    raise LbdError(f"the new version does not serve after {LONGEST:g} s; the daemon's log says why")

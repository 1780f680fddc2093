"""The lifecycle of the daemon: starting, ready, stopping."""

import asyncio
import time

STARTING = "starting"
READY = "ready"
STOPPING = "stopping"


class Lifecycle:
    """Moved on by `Supervisor` alone. `stop` is set by the first signal to stop, `cut` by the second."""

    def __init__(self) -> None:
        self.state = STARTING
        self.stop = asyncio.Event()
        self.cut = asyncio.Event()
        self.began = time.monotonic()

    @property
    def is_ready(self) -> bool:
        """Whether lbd should get traffic."""
        return self.state == READY

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.began

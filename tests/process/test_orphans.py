"""Orphans are told to leave and followed to their end."""

import asyncio
import subprocess
import sys

from lbd.process.orphans import Orphans


async def test_children_are_reaped_and_the_dead_reported():
    gone = asyncio.Queue()
    orphans = Orphans(gone.put_nowait)
    process = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    orphans.dismiss([process.pid, process.pid])
    assert orphans.pids == [process.pid]
    async with asyncio.timeout(20):
        assert await gone.get() == process.pid
    assert orphans.pids == []
    process.returncode = 0   # it was reaped here, not by subprocess
    orphans.dismiss([process.pid])
    assert gone.get_nowait() == process.pid
    orphans.close()

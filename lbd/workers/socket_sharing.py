"""The sharing of the listening sockets among the workers, so that each socket has a worker that accepts from it."""

import os
from collections.abc import Collection

from lbd.backend.snapshot import Generation
from lbd.process.sockets import Sockets
from lbd.workers.codec import ORDERS
from lbd.workers.messages import Listen
from lbd.workers.workers import Workers


class SocketSharing:
    """Hands the sockets of the listeners to the workers that serve."""

    def __init__(self, workers: Workers, sockets: Sockets) -> None:
        self._workers = workers
        self._sockets = sockets

    def share(self, generation: Generation) -> None:
        """Give every listening socket to a worker that serves; workers are told only of what changed for them."""
        serving = self._workers.serving
        names = list(generation.config.listeners)
        for slot, slots in assign(self._sockets.slots, serving).items():
            process = serving[slot]
            for name in [*names, *(name for name in process.given if name not in names)]:
                fds = tuple(self._sockets.descriptors_of(name, slots))
                # The inode too: a descriptor's number may belong to another socket by now.
                identity = tuple((fd, os.fstat(fd).st_ino) for fd in fds)
                if identity != process.given.get(name, ()):
                    for start in range(0, max(len(fds), 1), ORDERS.most_fds):
                        process.send(Listen(name, start > 0), fds[start:start + ORDERS.most_fds])
                    process.given[name] = identity


def assign(slots: int, live: Collection[int]) -> dict[int, list[int]]:
    """The slots (from 0) that each live worker accepts from: its own, and a fair share of those without a worker."""
    shares: dict[int, list[int]] = {worker: [worker] if worker < slots else [] for worker in sorted(live)}
    if shares:
        for slot in range(slots):
            if slot not in shares:
                min(shares.values(), key=len).append(slot)
    return shares

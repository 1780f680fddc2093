"""The publisher of endpoints: tells the workers which servers changed, in batches."""

import asyncio

from lbd.generation import rows
from lbd.generation.in_force import InForce
from lbd.generation.rows import Rows
from lbd.generation.server_states import ServerStates
from lbd.workers.fleet import Fleet

PAUSE = 0.05   # seconds at least between two batches


class EndpointPublisher:
    """Compares the present servers with those that the workers know (`InForce.endpoints`), and sends the difference.

    Hundreds of servers may change at once, and each comparison is of all of them: so changes wait for the next batch.
    """

    def __init__(self, in_force: InForce, servers: ServerStates, fleet: Fleet, rows_: Rows) -> None:
        self._in_force = in_force
        self._servers = servers
        self._fleet = fleet
        self._rows = rows_
        self._next_batch: asyncio.Future[None] | None = None   # scheduled
        self._published = 0.0       # when the last batch was, of the loop's clock

    def apply_overrides(self) -> None:
        """Overrides, planned cuts or registrations changed: tell the workers soon."""
        if self._in_force.generation is not None:
            self._servers.forget_cuts(self._in_force.generation.config)
        self.publish_soon()

    def publish_soon(self) -> None:
        """Compare with the next batch."""
        if self._next_batch is None:
            loop = asyncio.get_running_loop()
            self._next_batch = loop.create_future()
            loop.call_at(max(loop.time(), self._published + PAUSE), self.publish)

    async def wait_until_in_force(self) -> list[int]:
        """Wait until the workers have in force what changed up to now; returns the pids of those that did not confirm
        it, as `Fleet.confirm` does."""
        if self._next_batch is not None:
            await asyncio.shield(self._next_batch)
        return await self._fleet.confirm()

    def publish(self) -> None:
        """Tell the workers of every server that is not as they know it."""
        self._published = asyncio.get_running_loop().time()
        batch, self._next_batch = self._next_batch, None
        try:
            self._publish()
        finally:
            if batch is not None:
                batch.set_result(None)

    def _publish(self) -> None:
        generation, before = self._in_force.generation, self._in_force.endpoints
        if generation is None:
            return
        now = self._servers.all_endpoints(generation.config)
        self._servers.forget_cuts(generation.config)
        changed = tuple(endpoint for endpoint in now
                        if endpoint.path in before and before[endpoint.path] != endpoint)
        if not changed:
            return
        moved = [was for endpoint in changed if (was := before[endpoint.path]).address != endpoint.address]
        if moved:
            self._rows.release_later(rows.of_servers(moved), generation.config.global_.drain_timeout)
        self._in_force.note_endpoints(changed)
        self._servers.ejection.follow_endpoints(self._in_force.endpoints.values())
        self._fleet.update(changed)

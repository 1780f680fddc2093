"""The start of the control plane with its first generation, and its end."""

from lbd.generation.control_plane import ControlPlane
from lbd.generation.worker_count import worker_count
from lbd.process.sockets import Staged
from lbd.schema import Config


def bind(plane: ControlPlane, config: Config) -> Staged:
    """Bind the sockets of a first configuration, and read the files that only root may read; raises `LbdError`."""
    plane.materials.certificates.read_all(config)
    return plane.sockets.stage(config.listeners, worker_count(config))


async def start(plane: ControlPlane, file_config: Config, staged: Staged) -> None:
    """Bring up workers and first checks side by side, then listen. Raises `LbdError`."""
    plane.predecessor.read_access_log(plane.access_log)
    config = plane.servers.registry.merged_into(file_config)
    material = await plane.materials.read_material(config)
    await plane.servers.watch_servers(config)
    plane.servers.ejection.follow_config(config)
    first = plane.coordinator.build(plane.predecessor.next_generation, config, material)
    plane.coordinator.put_in_force(first, file_config)
    plane.predecessor.add_counters()
    workers = plane.tasks.start("bringing up the workers", plane.fleet.start(first, worker_count(config)))
    await plane.servers.first_checks(hurry=True)
    await workers
    plane.sockets.commit(staged)
    plane.fleet.share()
    plane.rows.release_later(plane.predecessor.rows(), config.global_.drain_timeout)


async def stop(plane: ControlPlane, timeout: float) -> None:
    """Close the sockets, so that new clients are refused and not left waiting, and drain the workers within so many
    seconds."""
    plane.sockets.close()   # before the workers close theirs: the last one to close accepts the connections that wait
    plane.fleet.dismiss(timeout)
    await plane.fleet.stop(timeout)

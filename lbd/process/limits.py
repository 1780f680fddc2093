"""Descriptor limits: how many there may be, and how many client connections follow from them."""

import resource

from lbd.log.logger import logger

SPARE = 200         # descriptors of a worker that are no connections
CEILING = 2**20     # descriptors; beyond it the kernel's tables cost more than anyone needs
FEW = 500           # client connections of a worker; with less than that, few clients keep all others waiting


def raise_files() -> int:
    """Raise the soft limit of open files to the hard one (at most `CEILING`); returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CEILING if hard == resource.RLIM_INFINITY else min(hard, CEILING)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return CEILING if soft == resource.RLIM_INFINITY else soft


def connections(files: int, workers: int, configured: int | None) -> int:
    """Client connections that one worker may hold: its share of the configured limit, but never more than its
    descriptors allow, each request needing two."""
    possible = max(1, (files - SPARE) // 2)
    return possible if configured is None else min(possible, -(-configured // workers))


def warn(workers: int, configured: int | None) -> None:
    """Log a warning when the present limit of descriptors allows few client connections, or fewer than configured."""
    files = min(resource.getrlimit(resource.RLIMIT_NOFILE)[0] % 2**63, CEILING)     # RLIM_INFINITY is -1
    possible = connections(files, workers, None)
    if possible < min(FEW, connections(CEILING, workers, configured)) or possible * workers < (configured or 0):
        logger.warning("few descriptors: more clients than that wait until others leave", descriptors=files,
                       client_connections=possible * workers, max_connections=configured,
                       hint="raise the hard limit of open files: ulimit -Hn, LimitNOFILE= of systemd, "
                            "--ulimit nofile= of a container")

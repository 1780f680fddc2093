"""Descriptor limits: how many there may be, and how many client connections follow from them."""

import resource

SPARE = 200         # descriptors of a worker that are no connections
CEILING = 2**20     # descriptors; beyond it the kernel's tables cost more than anyone needs


def raise_files() -> int:
    """Raise the soft limit of open files to the hard one (at most `CEILING`); returns what it is now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CEILING if hard == resource.RLIM_INFINITY else min(hard, CEILING)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return CEILING if soft == resource.RLIM_INFINITY else soft


def connections(files: int, workers: int, configured: int | None) -> int:
    """Client connections that one worker may hold: its share of what is configured, but never more than its
    descriptors allow, each request needing two."""
    possible = max(1, (files - SPARE) // 2)
    return possible if configured is None else min(possible, -(-configured // workers))

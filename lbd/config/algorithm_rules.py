"""Rules that depend on the traits of a backend's algorithm: weights, slow start, and keys of requests."""

from lbd.config.catalog import Catalog
from lbd.config.findings import Findings
from lbd.schema import Config
from lbd.wording import shown


def check_algorithms(config: Config, findings: Findings, catalog: Catalog) -> None:
    """All rules of this file."""
    for rule in (check_tcp_keys, check_weights, check_slow_start):
        rule(config, findings, catalog)


def check_tcp_keys(config: Config, findings: Findings, catalog: Catalog) -> None:
    """A tcp listener sees bytes only: its backends cannot choose by a key of the request."""
    for name, listener in config.listeners.items():
        if listener.mode != "tcp":
            continue
        for used in dict.fromkeys((listener.backend or "", *(route.backend or "" for route in listener.routes))):
            backend = config.backends.get(used)
            if backend is None:
                continue
            algorithm = backend.algorithm
            if algorithm.options is not None and catalog.algorithm(algorithm.name).needs_requests(algorithm.options):
                text = f"the tcp listener {shown(name)} uses this backend and has no requests to hash"
                findings.error(("backends", used, "algorithm"), f'{text}; hash by "source" instead')


def check_weights(config: Config, findings: Findings, catalog: Catalog) -> None:
    """Weights mean nothing to some algorithms; the others need a server that has one."""
    for name, backend in config.backends.items():
        path = ("backends", name, "servers")
        if catalog.algorithm(backend.algorithm.name).weighted:
            if backend.servers and not any(server.weight for server in backend.servers.values()):
                findings.error(path, "all weights are 0: no server could be chosen")
            continue
        for server in backend.servers:
            if findings.given((*path, server, "weight")):
                findings.warn((*path, server, "weight"), f"{backend.algorithm.name} takes no notice of weights")


def check_slow_start(config: Config, findings: Findings, catalog: Catalog) -> None:
    """A weight that grows means nothing where weights do not, and would move the keys of a hash again and again."""
    for name, backend in config.backends.items():
        path = ("backends", name, "slow_start")
        traits = catalog.algorithm(backend.algorithm.name)
        if backend.slow_start and findings.given(path) and (traits.hashes or not traits.weighted):
            findings.warn(path, f"has no effect with {backend.algorithm.name}")

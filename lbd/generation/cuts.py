"""The planned cuts: when the connections of a server that was taken out are cut, as operators asked."""

import time
from collections.abc import Callable, Iterable, Mapping

from lbd.backend.snapshot import Endpoint
from lbd.backend.state import ServerPath
from lbd.discovery.endpoints import Endpoints
from lbd.schema import Config


class Cuts:
    """The moments of cuts by endpoint, of the monotonic clock, past or to come. A plan lasts while its server is out.

    Plans are lost with the daemon, as are the connections to cut; an upgrade in place keeps both.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._moments: dict[ServerPath, float] = {}
        self._clock = clock

    def plan_cut(self, endpoints: Iterable[Endpoint], seconds: float | None) -> None:
        """Cut the connections of these after so many seconds; None calls the cut off."""
        for endpoint in endpoints:
            if seconds is None:
                self._moments.pop(endpoint.path, None)
            else:
                self._moments[endpoint.path] = self._clock() + seconds

    def add_cut(self, endpoint: Endpoint) -> Endpoint:
        """The endpoint with the moment of its cut."""
        moment = self._moments.get(endpoint.path) if self._moments else None
        return endpoint._replace(cut=moment) if moment is not None and is_out(endpoint) else endpoint

    def forget_returned(self, endpoints: Endpoints, config: Config) -> None:
        """Forget the plans of servers that are back, or gone."""
        backends = {backend for backend, _ in self._moments} & config.backends.keys()
        left = {endpoint.path for name in backends
                for endpoint in endpoints.of_backend(config, name) if is_out(endpoint)}
        self._moments = {name: moment for name, moment in self._moments.items() if name in left}

    def planned(self) -> list[tuple[ServerPath, float]]:
        """All plans, for the next version in this process."""
        return list(self._moments.items())

    def restore_plans(self, moments: Mapping[ServerPath, float]) -> None:
        """Go on with the plans of the version before."""
        self._moments = dict(moments)


def is_out(endpoint: Endpoint) -> bool:
    """Whether operators took the server out, or it leaves: only then may its connections be cut."""
    return endpoint.mode != "ready"

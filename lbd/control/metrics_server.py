"""The metrics server: the exposition for Prometheus on an address of its own."""

import socket
from collections.abc import Collection

from lbd.admin import late_site
from lbd.admin.daemon_api import DaemonApi
from lbd.control import api_server
from lbd.control.api_server import ApiServer
from lbd.schema import Config


def bind_metrics_server(config: Config, daemon: DaemonApi, owner: tuple[int, int] | None = None,
                        inherited: socket.socket | None = None, shared: Collection[int] = ()) -> ApiServer | None:
    """The metrics server, bound; None when there is to be none. `inherited` is its socket of the version before.
    `shared` are ports that lbd itself holds: one that a reload gives up for this server is taken over beside its
    holder, so that one of them answers at any time. Raises `LbdError`."""
    address = config.metrics.bind
    if address is None:
        if inherited is not None:
            inherited.close()
        return None
    return api_server.bind(late_site.metrics(daemon), address, "metrics.bind", owner, inherited, shared=shared)

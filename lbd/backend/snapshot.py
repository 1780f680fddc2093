"""The accepted configuration as workers get it: the content of the files, addresses resolved and slots assigned."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from lbd.backend.state import Identity, ServerPath, identity_of
from lbd.schema import Config
from lbd.schema.units import Address
from lbd.tls.credentials import Credentials, Place

HEALTH = ("unknown", "up", "down", "ejected")
MODES = ("ready", "drain", "maint")


class Endpoint(NamedTuple):
    """A server of a backend, as the supervisor knows it now.

    `address` is literal (an IP address or a Unix socket). `slot` is its row in the scoreboard: it belongs to the
    identity (backend, name, address), so an unchanged server keeps it over every generation. Two axes of state:
    `mode` is what the operator wants, `health` what checks and traffic say. `cut` is when its requests are cut, in
    seconds of the monotonic clock, which all processes share; 0.0: never. A tuple: those of a large fleet are made
    anew many times per second.
    """

    backend: str
    name: str
    address: Address
    slot: int
    weight: int = 1
    backup: bool = False
    mode: str = "ready"
    health: str = "up"
    max_conns: int = 0      # most connections, and so requests in flight; 0: any number
    host: str = ""          # the host as it was configured: the name that its certificate is for
    cut: float = 0.0

    @property
    def identity(self) -> Identity:
        """The key of the server at its address: of rows, checks and ejections."""
        return identity_of(self.backend, self.name, self.address)

    @property
    def path(self) -> ServerPath:
        """Backend and name: the key of the server wherever it is."""
        return self.backend, self.name


@dataclass(frozen=True, slots=True)
class Generation:
    """Everything that a worker needs, numbered from 1; sent over the control channel and never changed.

    Slots are rows of the scoreboard. In `routes` the backend is "" for requests that lbd answers itself. `secret` is
    the key of the cookies of sticky backends, `credentials` the contents of TLS files; neither is printed.
    """

    number: int
    config: Config
    endpoints: Mapping[str, tuple[Endpoint, ...]]
    backends: Mapping[str, int]
    listeners: Mapping[str, int]
    routes: Mapping[tuple[str, str], int]
    max_connections: int = 0   # client connections that each worker may hold at once; 0: no limit
    secret: bytes = field(default=b"", repr=False)
    credentials: Mapping[Place, Credentials] = field(default_factory=dict, repr=False)

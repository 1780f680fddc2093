"""The state of a server on its two axes, the operator's mode and its health, and the uses that a state allows, for
supervisor and workers alike."""

from typing import Protocol

from lbd.schema.units import Address

Identity = tuple[str, str, str]   # backend, name and address of a server: a server that moves is another one
ServerPath = tuple[str, str]      # backend and name of a server, wherever it is


class ServerState(Protocol):
    """A server as a worker (`Server`) or the supervisor (`Endpoint`) has it."""

    @property
    def mode(self) -> str: ...
    @property
    def health(self) -> str: ...
    @property
    def weight(self) -> int: ...
    @property
    def address(self) -> Address: ...


def identity_of(backend: str, name: str, address: Address) -> Identity:
    """The identity of a server at an address."""
    return backend, name, str(address)


def available(server: ServerState) -> bool:
    """Whether neither operator nor health keep it out, as status, metrics and the guard against outages count."""
    return server.mode == "ready" and server.health == "up"


def ready(server: ServerState) -> bool:
    """Whether the operator wants it, and it has an address: a name that was never resolved leads nowhere."""
    return server.mode == "ready" and server.weight > 0 and server.address.literal


def usable(server: ServerState) -> bool:
    """Whether it may take new clients: the one place where the two axes meet."""
    return ready(server) and server.health == "up"


def serves(server: ServerState) -> bool:
    """Whether it is warm: it has requests, or could have some if its weight and the operator allowed."""
    return server.health == "up" and server.mode != "maint" and server.address.literal

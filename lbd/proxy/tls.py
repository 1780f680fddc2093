"""What a generation says of TLS made into contexts, which live on where nothing about them changed."""

from collections.abc import Mapping

from lbd.backend.credentials import Credentials, Place
from lbd.config import schema
from lbd.errors import LbdError
from lbd.net.tls import HTTP, Face


class Faces:
    """What the listeners of one worker show. Building one takes milliseconds; sessions end with it."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[object, Face]] = {}

    def of(self, name: str, settings: schema.Listener, credentials: Mapping[Place, Credentials]) -> Face | None:
        """The listener's; None where it does not end TLS. Raises `LbdError` with the file and what is wrong with it."""
        if settings.tls is None:
            return None
        given = credentials.get(("listeners", name), Credentials())
        key = settings.mode, settings.tls, given
        known = self._known.get(name)
        if known is not None and known[0] == key:
            return known[1]
        try:
            made = face(settings, given)
        except LbdError as error:
            raise LbdError(f"listeners.{name}.tls: {error}") from None
        self._known[name] = key, made
        return made


def face(settings: schema.Listener, given: Credentials) -> Face:
    """What a listener that ends TLS shows; raises `LbdError`."""
    wanted = settings.tls
    assert wanted is not None
    return Face(given.pems, min_version=wanted.min_version, ciphers=wanted.ciphers, client_ca=given.authorities,
                required=wanted.verify == "required", keys=given.keys, alpn=HTTP if settings.mode == "http" else ())

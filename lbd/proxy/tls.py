"""The TLS contexts of a generation, which live on where nothing about them changed."""

import ssl
from collections.abc import Mapping

from lbd import schema
from lbd.backend.backend import Backend
from lbd.backend.server import Server
from lbd.errors import LbdError
from lbd.schema.units import OF_REQUEST, Address
from lbd.tls.contexts import HTTP, ClientTls, ServerTls, client_context
from lbd.tls.credentials import Credentials, Place
from lbd.upstream.closing import close_idle


class TlsContexts:
    """The TLS of the listeners of one worker, by name. Building one takes milliseconds; sessions end with it."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[object, ServerTls]] = {}

    def server_tls(self, name: str, settings: schema.ListenerConfig,
                   credentials: Mapping[Place, Credentials]) -> ServerTls | None:
        """The TLS of a listener; None where it does not end TLS. Raises `LbdError` with key, file and reason."""
        if settings.tls is None:
            return None
        given = credentials.get(("listeners", name), Credentials())
        key = settings.mode, settings.tls, given
        known = self._known.get(name)
        if known is not None and known[0] == key:
            return known[1]
        try:
            made = make_server_tls(settings, given)
        except LbdError as error:
            raise LbdError(f"listeners.{name}.tls.{error}") from None
        self._known[name] = key, made
        return made


def make_server_tls(settings: schema.ListenerConfig, given: Credentials) -> ServerTls:
    """The certificates and rules of a listener that ends TLS; raises `LbdError`."""
    wanted = settings.tls
    assert wanted is not None
    alpn = wanted.alpn if wanted.alpn is not None else HTTP if settings.mode == "http" else ()
    return ServerTls(given.pems, min_version=wanted.min_version, ciphers=wanted.ciphers, client_ca=given.authorities,
                     named=given.named, required=wanted.verify == "required", keys=given.keys, alpn=alpn,
                     strict=wanted.strict_sni, partial=wanted.partial_chain)


def backend_context(name: str, settings: schema.BackendConfig,
                    credentials: Mapping[Place, Credentials]) -> ssl.SSLContext | None:
    """The context of connections to a backend's servers; None where all are without TLS. Raises `LbdError`."""
    if settings.tls is None and not any(server.address.tls for server in settings.servers.values()):
        return None
    try:
        return make_client_context(settings, credentials.get(("backends", name), Credentials()))
    except LbdError as error:
        raise LbdError(f"backends.{name}.tls.{error}") from None


def make_client_context(settings: schema.BackendConfig, given: Credentials) -> ssl.SSLContext:
    """The context of TLS connections to servers; raises `LbdError`."""
    wanted = settings.tls or schema.BackendTls()
    # Without ALPN: servers of every protocol may be behind it, and without it HTTP/1.1 is meant.
    return client_context(wanted.verify, given.authorities, next(iter(given.pems), None), wanted.min_version, (),
                          wanted.partial_chain)


def uses_tls(settings: schema.BackendConfig, address: Address) -> bool:
    """Whether connections to this server of the backend are TLS."""
    return settings.tls is not None or address.tls


def server_name(settings: schema.BackendConfig, host: str) -> str | None:
    """The name that is sent to a server and checked: that of the settings, else its host; None: it has none. The dot
    at the end of a fully qualified name is no part of it (RFC 6066 3)."""
    given = settings.tls.server_name if settings.tls is not None and not of_request(settings) else None
    return (given or host.partition("%")[0]).removesuffix(".") or None


def of_request(settings: schema.BackendConfig) -> bool:
    """Whether each request says for which name a connection to a server is."""
    return settings.tls is not None and settings.tls.server_name == OF_REQUEST


def apply_tls(backend: Backend, context: ssl.SSLContext | None) -> None:
    """Set the TLS of each server; idle connections with another are closed."""
    for server in backend.servers.values():
        wanted = _client_tls(server, backend.settings, context)
        if wanted is not server.connections.tls:
            close_idle(server)
            server.connections.tls = wanted
            server.connections.named.clear()


def _client_tls(server: Server, settings: schema.BackendConfig, context: ssl.SSLContext | None) -> ClientTls | None:
    if context is None or not uses_tls(settings, server.address):
        return None
    name = server_name(settings, server.host or server.address.host)
    lenient = settings.tls is not None and settings.tls.close_notify == "optional"
    known: ClientTls | None = server.connections.tls
    by_request = of_request(settings)
    if known is not None and (known.context, known.name, known.lenient, known.by_request) \
            == (context, name, lenient, by_request):
        return known        # with its session
    return ClientTls(context, name, lenient, by_request)

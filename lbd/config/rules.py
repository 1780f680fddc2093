"""Rules between keys: names that exist, addresses that are free, settings that have an effect."""

from collections.abc import Iterator

from lbd.config.algorithm_rules import check_algorithms
from lbd.config.catalog import Catalog
from lbd.config.document import DocumentError, fetch
from lbd.config.findings import Findings, dotted
from lbd.config.places import Path
from lbd.config.routes import check_routes
from lbd.schema import BackendConfig, Config, ListenerConfig, ServerConfig, Sticky
from lbd.schema.units import OF_REQUEST, OFF, SECRET_FIELDS, UNIX, Address
from lbd.wording import shown


def check(config: Config, findings: Findings, catalog: Catalog) -> None:
    """All rules."""
    for rule in RULES:
        rule(config, findings)
    check_algorithms(config, findings, catalog)


def check_listeners(config: Config, findings: Findings) -> None:
    """Check that there is a listener, and that each has a backend or routes for its requests."""
    if not config.listeners and findings.sound(("listeners",)):
        findings.missing((), "there is no listener; add [listeners.NAME] with bind and backend")
    for name, listener in config.listeners.items():
        path = ("listeners", name)
        given = any(findings.given((*path, key)) for key in ("backend", "routes", "https_redirect"))
        if findings.sound(path) and not given and listener.backend is None and not listener.routes:
            findings.error(path, "a listener needs a backend or routes")
        if not listener.bind and findings.untouched((*path, "bind")) and findings.given((*path, "bind")):
            findings.error((*path, "bind"), "an empty array: a listener needs an address")


def check_tcp(config: Config, findings: Findings) -> None:
    """A tcp listener sees bytes only: nothing about it may need a request."""
    for name, listener in config.listeners.items():
        if listener.mode == "tcp" and listener.routes and listener.tls is not None:
            findings.error(("listeners", name, "routes"),
                           "a tcp listener that ends TLS has no ClientHello to route by; leave out")
        if listener.mode == "tcp" and listener.filters:
            findings.error(("listeners", name, "filters"), "a tcp listener sees no requests to filter; leave out")


def check_proxies(config: Config, findings: Findings) -> None:
    """A listener that requires a PROXY header trusts some peer to send it."""
    for name, listener in config.listeners.items():
        if listener.proxy_protocol and not set(config.global_.trusted_proxies) - {UNIX} and not all(
                address.path for address in listener.bind):
            findings.error(("listeners", name, "proxy_protocol"),
                           "nobody could connect: name the proxies in `trusted_proxies` of [global]")


def check_unix(config: Config, findings: Findings) -> None:
    """Mode, owner and group need a Unix socket with a file: to an abstract one every local user may connect."""
    for name, listener in config.listeners.items():
        path = ("listeners", name)
        trusted = listener.proxy_protocol or (listener.mode == "http" and UNIX in config.global_.trusted_proxies)
        for address in listener.bind if trusted else ():
            if address.path.startswith("@"):
                findings.warn((*path, "bind"), f"every local user can connect to {shown(str(address))} and is believed "
                                               "who the client is; only unix:/PATH has a mode (unix_mode)")
        if any(address.path.startswith("/") for address in listener.bind):
            continue
        for key, otherwise in (("unix_mode", 0o666), ("unix_user", None), ("unix_group", None)):
            if getattr(listener, key) != otherwise and findings.given((*path, key)):
                findings.warn((*path, key), "has no effect: bind has no unix:/PATH")


def check_addresses(config: Config, findings: Findings) -> None:
    """No two sockets on one address."""
    taken: list[tuple[Address, Path]] = []
    for address, path in _binds(config, findings):
        for other, at in taken:
            if overlap(address, other):
                file, line, column = findings.where(at)
                same = "is bound already" if other == address else f"overlaps with {shown(str(other))}"
                findings.error(path, f"{shown(str(address))} {same} by {dotted(at)} ({file}:{line}:{column})")
                break
        taken.append((address, path))


def _binds(config: Config, findings: Findings) -> Iterator[tuple[Address, Path]]:
    if config.admin.bind != Address():
        yield config.admin.bind, ("admin", "bind")
    if config.metrics.bind is not None:
        yield config.metrics.bind, ("metrics", "bind")
    for name, listener in config.listeners.items():
        path = ("listeners", name, "bind")
        for index, address in enumerate(listener.bind):
            if address != Address():
                yield address, (*path, index) if findings.given((*path, index)) else path


def overlap(one: Address, other: Address) -> bool:
    """Whether only one of both can be bound, or chance would decide which of them gets a connection."""
    if one.path or other.path:
        return one.path == other.path
    if one.port != other.port or (":" in one.host) != (":" in other.host):
        return False
    return one.host == other.host or one.wildcard or other.wildcard


def check_backends(config: Config, findings: Findings) -> None:
    """Each backend has servers, and is used."""
    used = {listener.backend for listener in config.listeners.values()}
    used |= {route.backend for listener in config.listeners.values() for route in listener.routes}
    for name, backend in config.backends.items():
        path: Path = ("backends", name)
        if not backend.servers and backend.registration is None and findings.sound(path) and findings.sound(
                (*path, "servers")):
            findings.error(path, "a backend needs servers: [backends.NAME.servers] with NAME = \"HOST:PORT\"")
        if name not in used and findings.complete:
            findings.warn(path, "no listener and no route uses this backend")


def check_servers(config: Config, findings: Findings) -> None:
    """Two servers at one address are one machine counted twice; a port to check needs checks."""
    for name, backend in config.backends.items():
        first: dict[Address, str] = {}
        for server, settings in backend.servers.items():
            if settings.check_port is not None and (why := _unchecked(backend, settings)):
                findings.warn(("backends", name, "servers", server, "check_port"), f"has no effect: {why}")
            other = first.setdefault(settings.address, server)
            if other != server and settings.address != Address():
                path = ("backends", name, "servers", server)
                findings.warn(path, f'"{other}" has the address {shown(str(settings.address))} too')


def _unchecked(backend: BackendConfig, server: ServerConfig) -> str:
    """The reason why no port of the server is checked, "" where one is."""
    if backend.health is None:
        return "the backend has no health checks; add health"
    if not server.check:
        return "check = false"
    return "a Unix socket has no port" if server.address.path else ""


def check_tls(config: Config, findings: Findings) -> None:
    """Settings of TLS have an effect and fit together; checks that are switched off get a warning."""
    for name, listener in config.listeners.items():
        path: Path = ("listeners", name, "tls")
        if listener.https_redirect:
            at = ("listeners", name, "https_redirect")
            if listener.tls is not None or listener.mode == "tcp":
                findings.error(at, "only what comes by plain HTTP can be redirected to https")
            elif listener.backend is not None:
                findings.error(at, f'everything that no route takes is redirected, so "{listener.backend}" would get '
                                   "nothing; leave out backend, or redirect")
        if listener.tls is None:
            continue
        for key in ("verify", "partial_chain"):
            if listener.tls.client_ca is None and findings.given((*path, key)):
                findings.error((*path, key), "without client_ca no certificate is asked for; add client_ca, or leave "
                                             "it out")
        if listener.mode == "http" and not {"http/1.1", "http/1.0"}.issuperset(listener.tls.alpn or ()):
            findings.error((*path, "alpn"), 'an http listener speaks "http/1.1" alone; leave it out, or use '
                                            'mode = "tcp"')
    for name, backend in config.backends.items():
        if backend.tls is None:
            continue
        path = ("backends", name, "tls")
        if backend.tls.partial_chain and not (backend.tls.ca and backend.tls.verify):
            findings.error((*path, "partial_chain"), "says how `ca` is believed; add ca, or leave it out")
        if not backend.tls.verify:
            findings.warn((*path, "verify"), "no certificate is checked: whoever is on the way to the servers can read "
                                             "and change everything")
        elif backend.tls.server_name in (None, OF_REQUEST) \
                and any(server.address.path for server in backend.servers.values()):
            findings.error(path, "a server on a Unix socket has no name of its own; give server_name")


def check_admin(config: Config, findings: Findings) -> None:
    """A TCP address of the admin interface needs a token; a Unix socket has permissions instead."""
    admin = config.admin
    bind, token = admin.bind, admin.token_file
    at: Path = ("admin", "token_file")
    if bind.abstract:
        findings.error(("admin", "bind"), f"{shown(str(bind))} has no file whose permissions could keep others out; "
                                          'use a path: "unix:/PATH"')
    if bind.host and token is None and findings.sound(at):
        findings.error(("admin", "bind"), f"{shown(str(bind))} needs token_file, since anyone could connect; "
                                          "or use a Unix socket")
    if admin.group is not None and not admin.mode & 0o060:
        findings.error(("admin", "group"), f'mode "{admin.mode:04o}" keeps every group out; add mode = "0660"')
    if admin.tls is not None and bind.path:
        findings.error(("admin", "tls"), "is for a TCP address; a Unix socket needs none")
    files = {at: token}
    if admin.tls is not None:
        tls = {"cert": admin.tls.cert, "key": admin.tls.key_file, "client_ca": admin.tls.client_ca}
        files |= {("admin", "tls", name): file for name, file in tls.items()}
    for path, file in files.items():
        if file is not None and findings.sound(path):
            _check_readable(file, path, findings)


def _check_readable(file: str, path: Path, findings: Findings) -> None:
    try:
        fetch(file)
    except DocumentError as error:
        findings.error(path, f"{shown(file)} {error}")


def check_log(config: Config, findings: Findings) -> None:
    """Fields that hold secrets of clients are logged only where they are named, with a warning."""
    for name in config.log.access_fields:
        if name.partition(":")[2].lower() in SECRET_FIELDS:
            findings.warn(("log", "access_fields"), f"{shown(name)} writes secrets of clients into the log")


def check_sticky(config: Config, findings: Findings) -> None:
    """Browsers keep the cookies, lbd their key, and no two backends share a cookie."""
    for name, backend in config.backends.items():
        if backend.sticky is not None and backend.sticky.same_site == "None" and not backend.sticky.secure:
            findings.error(("backends", name, "sticky", "same_site"),
                           "browsers keep no cookie of SameSite=None that is not Secure; add secure = true")
    used = [name for listener in config.listeners.values() for _, name, _ in stickiness(config, listener)]
    if used and config.global_.state_dir == OFF and config.global_.sticky_secret is None:
        findings.error(("global", "state_dir"), f"backend {shown(used[0])} is sticky and no directory keeps the key of "
                                                "its cookies; set sticky_secret in [global]")
    warned: set[str] = set()
    for listener in config.listeners.values():
        first: dict[tuple[str | None, ...], str] = {}      # backend, by a cookie's key (RFC 6265 5.3)
        for host, name, sticky in stickiness(config, listener):
            other = first.setdefault((host, sticky.cookie, sticky.path, sticky.domain), name)
            if other != name and name not in warned:
                warned.add(name)
                findings.warn(("backends", name, "sticky"), f"its cookie is that of backend {shown(other)} too: a "
                              "client that uses both loses its server each time; give one of them another name or path")


def stickiness(config: Config, listener: ListenerConfig) -> Iterator[tuple[str | None, str, Sticky]]:
    """Hosts and backends of a listener whose clients get a cookie, and the settings of that."""
    for host, name in (*((route.host, route.backend) for route in listener.routes), (None, listener.backend)):
        backend = config.backends.get(name or "")
        if name and backend is not None and backend.stickiness is not None and listener.mode == "http":
            yield host, name, backend.stickiness


def check_outliers(config: Config, findings: Findings) -> None:
    """The longest ejection is not shorter than the first."""
    for name, backend in config.backends.items():
        if backend.outlier is not None and backend.outlier.max < backend.outlier.base:
            findings.error(("backends", name, "outlier", "max"), "is shorter than `base`, the first ejection")


RULES = (check_listeners, check_tcp, check_proxies, check_unix, check_addresses, check_routes, check_backends,
         check_servers, check_tls, check_admin, check_log, check_sticky, check_outliers)

"""OpenSSL below the `ssl` module: the SSL_CTX of a context, and settings that the module does not offer."""

import ctypes
import ssl
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

from lbd.log.logger import logger
from lbd.tls.alpn import SELECT, offer

FAILURES = (OSError, AttributeError, ValueError)    # of `libssl` and `pointer` where they do not work

_POINTER, _SIZE = ctypes.c_void_p, ctypes.c_long
_PROTOTYPES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "SSL_CTX_ctrl": (ctypes.c_long, (_POINTER, ctypes.c_int, _SIZE, _POINTER)),
    "SSL_CTX_get_options": (ctypes.c_uint64, (_POINTER,)),
    "SSL_CTX_add_client_CA": (ctypes.c_int, (_POINTER, _POINTER)),
    "SSL_CTX_set_alpn_select_cb": (None, (_POINTER, _POINTER, _POINTER)),
    "SSL_CTX_set_ciphersuites": (ctypes.c_int, (_POINTER, ctypes.c_char_p)),
    "d2i_X509": (_POINTER, (_POINTER, ctypes.POINTER(ctypes.c_char_p), _SIZE)),
    "X509_free": (None, (_POINTER,)),
}


@cache
def libssl() -> Any:
    """The module's own libssl: symbols are looked up in the libraries that the module is linked with."""
    module = sys.modules.get("_ssl")
    found = ctypes.CDLL(getattr(module, "__file__", None))
    for name, (result, arguments) in _PROTOTYPES.items():
        function = getattr(found, name)
        function.restype, function.argtypes = result, arguments
    return found


def pointer(context: ssl.SSLContext) -> int:
    """The SSL_CTX: the first field of the object, behind the header of every object. ValueError where it is not."""
    if sys.implementation.name != "cpython" or hasattr(sys, "gettotalrefcount") or not _gil():
        raise ValueError("another Python")
    size = object.__basicsize__
    if type(context).__basicsize__ < size + ctypes.sizeof(ctypes.c_void_p):
        raise ValueError("contexts have another layout")
    found = ctypes.c_void_p.from_address(id(context) + size).value or 0
    with open("/proc/self/maps", encoding="ascii", errors="replace") as maps:
        for line in maps:
            span, rights, *_ = line.split()
            low, high = (int(part, 16) for part in span.split("-"))
            if low <= found and found + 512 <= high and rights.startswith("rw"):
                break
        else:
            raise ValueError("contexts have another layout")
    if libssl().SSL_CTX_get_options(found) & 0xFFFFFFFF != int(context.options) & 0xFFFFFFFF:
        raise ValueError("contexts have another layout")
    return found


def _gil() -> bool:
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


def name_authorities(context: ssl.SSLContext, ders: Sequence[bytes]) -> bool:
    """Have a server's context name its trusted authorities to clients (RFC 5246 7.4.4, RFC 8446 4.2.4), so that they
    can choose among their certificates. `ders`: the authorities' certificates. False where that does not work."""
    if not ders:
        return True
    try:
        target, calls = pointer(context), libssl()
        for der in ders:
            certificate = calls.d2i_X509(None, ctypes.byref(ctypes.c_char_p(der)), len(der))
            if not certificate:
                continue        # OpenSSL did not take it among those it trusts either
            calls.SSL_CTX_add_client_CA(target, certificate)
            calls.X509_free(certificate)
    except FAILURES as error:
        _told("clients are not told which certificates are believed", str(error))
        return False
    return True


def select(context: ssl.SSLContext, protocols: Sequence[str]) -> bool:
    """Have a server's context choose the first of its ALPN protocols that a client offers, and refuse one that offers
    none of them by the alert no_application_protocol (RFC 7301 3.2), which the module would let pass. A client that
    offers nothing is served. False where such clients pass."""
    try:
        pointed, calls = pointer(context), libssl()
    except FAILURES as error:
        _told("clients without a common ALPN protocol are served", str(error))
        return False
    calls.SSL_CTX_set_alpn_select_cb(pointed, SELECT, offer(tuple(name.encode() for name in protocols)))
    return True


def order_suites(context: ssl.SSLContext, suites: Sequence[str]) -> bool:
    """Set which cipher suites of TLS 1.3 a context takes, the best first, by their names in RFC 8446 B.4; those that
    OpenSSL does not have are passed over. False where that does not work: it takes what it took before, then."""
    try:
        pointed, calls = pointer(context), libssl()
    except FAILURES as error:
        _told("the cipher suites of TLS 1.3 are in OpenSSL's order", str(error))
        return False
    return bool(calls.SSL_CTX_set_ciphersuites(pointed, ":".join(suites).encode()) == 1)


@cache
def _told(event: str, reason: str) -> None:
    """Log it, once for each reason."""
    logger.warning(event, reason=reason)

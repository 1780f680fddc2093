"""Calls of libssl on the connection of an `ssl.SSLObject`: the module makes an exception for each that has to wait.

They are made only where a test at the start has found the connection in the module's object.
"""

from cpython.object cimport PyObject

import ctypes
import ssl
import sys

ctypedef int (*OfOne)(void *) noexcept
ctypedef int (*OfTwo)(void *, int) noexcept
ctypedef void (*OfNone)() noexcept

cdef enum:
    WANT_READ = 2       # SSL_ERROR_WANT_READ of <openssl/ssl.h>
    SIZE = 512          # bytes that any SSL or SSL_CTX has at least

cdef OfOne do_handshake = NULL, do_shutdown = NULL
cdef OfTwo get_error = NULL
cdef OfNone clear_errors = NULL
cdef Py_ssize_t place = 0       # of the SSL in the object; 0: not known
cdef object kind = None


cdef inline void *connection(object engine) noexcept:
    """The SSL of a `_ssl._SSLSocket`, which keeps it; NULL where it cannot be had."""
    if place == 0 or type(engine) is not kind:
        return NULL
    return (<void **>(<char *><PyObject *>engine + place))[0]


cdef bint handshake(object engine) except -1:
    """Go on with the handshake; false while it waits for bytes of the peer. Raises as the object's own method does."""
    cdef void *tls = connection(engine)
    cdef int result = do_handshake(tls) if tls != NULL else 0
    if result == 1:
        return True
    if tls != NULL and get_error(tls, result) == WANT_READ:
        return False
    try:
        engine.do_handshake()       # of one that failed it does nothing but say why
    except ssl.SSLWantReadError:
        return False
    return True


cdef int say_end(object engine, object tls) except -1:
    """Write close_notify, and do not wait for that of the peer. `tls`: the SSLObject of the engine."""
    cdef void *known = connection(engine)
    if known == NULL:
        try:
            tls.unwrap()
        except ssl.SSLError:
            pass
    elif do_shutdown(known) < 0:
        clear_errors()
    return 0


def works():
    return place != 0


def forget():
    """Call the module's own methods from now on, as where the test failed."""
    global place
    place = 0


def learn():
    """Test again."""
    try:
        _learn()
    except (OSError, AttributeError, ValueError, KeyError):
        forget()


def _learn():
    """Find the SSL: behind the header of every object and a reference. The context's own is known, which must be the
    one that this SSL tells of."""
    global place, kind, do_handshake, do_shutdown, get_error, clear_errors
    cdef size_t at
    gil = getattr(sys, "_is_gil_enabled", None)
    if sys.implementation.name != "cpython" or hasattr(sys, "gettotalrefcount") or (gil is not None and not gil()):
        return
    library = ctypes.CDLL(sys.modules["_ssl"].__file__)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made = context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
    engine = made._sslobj
    header = object.__basicsize__
    pointer = sizeof(void *)
    if type(engine).__basicsize__ < header + 2 * pointer or type(context).__basicsize__ < header + pointer:
        return
    found = (<size_t *>(<char *><PyObject *>engine + <Py_ssize_t>(header + pointer)))[0]
    own = (<size_t *>(<char *><PyObject *>context + <Py_ssize_t>header))[0]
    tells = library.SSL_get_SSL_CTX
    tells.restype, tells.argtypes = ctypes.c_void_p, (ctypes.c_void_p,)
    if not _writable(found) or not _writable(own) or tells(found) != own:
        return
    at = _address(library.SSL_do_handshake)
    do_handshake = <OfOne><void *>at
    at = _address(library.SSL_shutdown)
    do_shutdown = <OfOne><void *>at
    at = _address(library.SSL_get_error)
    get_error = <OfTwo><void *>at
    at = _address(library.ERR_clear_error)
    clear_errors = <OfNone><void *>at
    kind = type(engine)
    place = header + pointer


def _writable(size_t address):
    """Whether memory of this process is there that an SSL may lie in."""
    with open("/proc/self/maps", encoding="ascii", errors="replace") as maps:
        for line in maps:
            span, rights = line.split()[:2]
            low, high = (int(part, 16) for part in span.split("-"))
            if low <= address and address + SIZE <= high:
                return rights.startswith("rw")
    return False


def _address(function):
    return ctypes.cast(function, ctypes.c_void_p).value


learn()

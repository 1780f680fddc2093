"""Socket addresses: the forms of Python's socket module to and from what the kernel takes."""

from libc.string cimport memcpy, memset, strchr, strncmp

from lbd.net.linux cimport (
    AF_INET, AF_INET6, AF_UNIX, getpeername, getsockname, htonl, htons, inet_ntop, inet_pton, ntohl, ntohs, sockaddr,
    sockaddr_in, sockaddr_in6, sockaddr_storage, sockaddr_un, socklen_t,
)


cdef inline socklen_t pack(int family, object address, sockaddr_storage *out) except 0:
    """The length of `address` written to `out`; ValueError where it is none of the family (names are not resolved)."""
    cdef sockaddr_in *four = <sockaddr_in *> out
    cdef sockaddr_in6 *six = <sockaddr_in6 *> out
    cdef sockaddr_un *local = <sockaddr_un *> out
    cdef bytes text
    memset(out, 0, sizeof(sockaddr_storage))
    out.ss_family = family
    if family == AF_UNIX:
        text = address if isinstance(address, bytes) else address.encode("utf-8", "surrogateescape")
        if not 0 < len(text) < sizeof(local.sun_path):
            raise ValueError(f"the path of a Unix socket has 1 to 107 bytes: {address!r}")
        memcpy(local.sun_path, <const char *> text, len(text))
        # An abstract name (it begins with NUL) has no terminator: its length is part of it.
        return 2 + len(text) + (text[0] != 0)
    text = address[0].encode()
    if family == AF_INET:
        four.sin_port = htons(address[1])
        if inet_pton(AF_INET, text, &four.sin_addr) == 1:
            return sizeof(sockaddr_in)
    elif family == AF_INET6:
        six.sin6_port = htons(address[1])
        six.sin6_flowinfo = htonl(address[2]) if len(address) > 2 else 0
        six.sin6_scope_id = address[3] if len(address) > 3 else 0
        if inet_pton(AF_INET6, text, &six.sin6_addr) == 1:
            return sizeof(sockaddr_in6)
    raise ValueError(f"not an IP address: {address[0]!r}")


cdef inline bytes dotted(const unsigned char *four):
    """An IPv4 address as text. The library's function goes by printf: it took longer than a client's objects do."""
    cdef char out[16]
    cdef char *end = out
    cdef int place
    for place in range(4):
        if place:
            end[0] = c'.'
            end += 1
        if four[place] > 99:
            end[0] = 48 + four[place] // 100
            end += 1
        if four[place] > 9:
            end[0] = 48 + four[place] // 10 % 10
            end += 1
        end[0] = 48 + four[place] % 10
        end += 1
    return out[:end - out]


cdef inline bytes text(sockaddr_storage *raw):
    """The IP address alone, as ASCII without a zone, an IPv4-mapped one as IPv4; b"" for other families."""
    cdef char out[64]
    if raw.ss_family == AF_INET:
        return dotted(<const unsigned char *> &(<sockaddr_in *> raw).sin_addr)
    if raw.ss_family == AF_INET6:
        inet_ntop(AF_INET6, &(<sockaddr_in6 *> raw).sin6_addr, out, sizeof(out))
    else:
        return b""
    return <bytes> (out + 7 if strncmp(out, "::ffff:", 7) == 0 and strchr(out, c'.') != NULL else out)


cdef inline object unpack(sockaddr_storage *raw, socklen_t size):
    """The address as Python's socket module writes it; "" for an unnamed Unix peer, bytes for an abstract name."""
    cdef sockaddr_in *four = <sockaddr_in *> raw
    cdef sockaddr_in6 *six = <sockaddr_in6 *> raw
    cdef sockaddr_un *local = <sockaddr_un *> raw
    cdef char text[64]
    cdef bytes name
    if raw.ss_family == AF_INET:
        inet_ntop(AF_INET, &four.sin_addr, text, sizeof(text))
        return (<bytes> text).decode("ascii"), ntohs(four.sin_port)
    if raw.ss_family == AF_INET6:
        inet_ntop(AF_INET6, &six.sin6_addr, text, sizeof(text))
        return (<bytes> text).decode("ascii"), ntohs(six.sin6_port), ntohl(six.sin6_flowinfo), six.sin6_scope_id
    if size <= 2:
        return ""
    name = local.sun_path[:size - 2]
    if name[0] == 0:
        return name
    return name.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


cdef inline object end_of(int fd, bint peer, object default):
    """The address of one end of a connected socket, the peer's or our own; the default where it has none any more."""
    cdef sockaddr_storage raw
    cdef socklen_t size = sizeof(raw)
    cdef int failed = getpeername(fd, <sockaddr *> &raw, &size) if peer else getsockname(fd, <sockaddr *> &raw, &size)
    return default if failed else unpack(&raw, size)

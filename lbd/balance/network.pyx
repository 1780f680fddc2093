# cython: boundscheck=False, wraparound=False
# cython: auto_pickle=False, autotestdict=False
"""The network that a client's address lies in, as bytes to hash."""

from libc.string cimport memcmp, memset

cdef extern from "<arpa/inet.h>" nogil:
    int inet_pton(int family, const char *text, void *address)
    int AF_INET, AF_INET6

cdef const unsigned char *MAPPED = b"\0\0\0\0\0\0\0\0\0\0\xff\xff"      # ::ffff:0:0/96 of RFC 4291 2.5.5.2


def network(bytes source not None, int ipv4_prefix, int ipv6_prefix):
    cdef unsigned char address[16]
    cdef unsigned char *first = address
    cdef int size = 4, bits = ipv4_prefix, at
    if inet_pton(AF_INET, source, address) != 1:
        if inet_pton(AF_INET6, source.partition(b"%")[0], address) != 1:
            return source
        if memcmp(address, MAPPED, 12) == 0:
            first += 12
        else:
            size, bits = 16, ipv6_prefix
    for at in range(size):
        if bits < 8:
            first[at] &= 0xFF00 >> max(bits, 0)
        bits -= 8
    return first[:size]

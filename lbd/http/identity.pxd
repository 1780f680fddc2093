"""Ids: SipHash-2-4 (Aumasson and Bernstein, 2012) of a counter under a random key, in hexadecimal."""

from libc.stdint cimport uint8_t, uint64_t

cdef struct Ids:
    uint64_t key0, key1, count


cdef inline uint64_t turned(uint64_t x, int bits) noexcept nogil:
    return (x << bits) | (x >> (64 - bits))


cdef inline void mix(uint64_t* v, int rounds) noexcept nogil:
    cdef int i
    for i in range(rounds):
        v[0] += v[1]
        v[1] = turned(v[1], 13) ^ v[0]
        v[0] = turned(v[0], 32)
        v[2] += v[3]
        v[3] = turned(v[3], 16) ^ v[2]
        v[0] += v[3]
        v[3] = turned(v[3], 21) ^ v[0]
        v[2] += v[1]
        v[1] = turned(v[1], 17) ^ v[2]
        v[2] = turned(v[2], 32)


cdef inline uint64_t hashed(const Ids* ids, uint64_t value) noexcept nogil:
    """SipHash-2-4 of the eight bytes of `value`, least byte first."""
    cdef uint64_t v[4]
    v[0] = ids.key0 ^ <uint64_t>0x736f6d6570736575
    v[1] = ids.key1 ^ <uint64_t>0x646f72616e646f6d
    v[2] = ids.key0 ^ <uint64_t>0x6c7967656e657261
    v[3] = ids.key1 ^ <uint64_t>0x7465646279746573
    v[3] ^= value
    mix(v, 2)
    v[0] ^= value
    v[3] ^= <uint64_t>8 << 56
    mix(v, 2)
    v[0] ^= <uint64_t>8 << 56
    v[2] ^= 0xff
    mix(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


cdef inline void write_digits(Ids* ids, uint8_t* to, int halves) noexcept nogil:
    """The next id, 16 digits for each half: each is a hash of a count that no other id uses."""
    cdef const char* digits = "0123456789abcdef"
    cdef uint64_t half
    cdef int i, k
    for k in range(halves):
        half = hashed(ids, ids.count)
        ids.count += 1
        for i in range(16):
            to[16 * k + i] = digits[half >> 60]
            half <<= 4

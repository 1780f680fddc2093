# cython: language_level=3
"""Text of strangers made safe for a line: in JSON UTF-8 as it is (RFC 8259 8.1) and the rest escaped, elsewhere ASCII."""

from libc.stdint cimport uint8_t, uint64_t
from libc.string cimport memcpy

from lbd.access_log.text cimport Text

cdef inline char hexadecimal(int digit) noexcept:
    return digit + (48 if digit < 10 else 87)


cdef inline int sequence(const uint8_t *at, Py_ssize_t left) noexcept:
    """Bytes of the UTF-8 sequence of a character beyond ASCII that begins here (RFC 3629 4), at most `left`; 0: there is
    none. No overlong forms, no surrogates, nothing beyond U+10FFFF."""
    cdef uint8_t lead = at[0]
    cdef int size = 2 if 0xC2 <= lead <= 0xDF else 3 if 0xE0 <= lead <= 0xEF else 4 if 0xF0 <= lead <= 0xF4 else 0
    cdef int place
    if size == 0 or left < size:
        return 0
    for place in range(1, size):
        if at[place] & 0xC0 != 0x80:
            return 0
    if (lead == 0xE0 and at[1] < 0xA0) or (lead == 0xED and at[1] > 0x9F) \
            or (lead == 0xF0 and at[1] < 0x90) or (lead == 0xF4 and at[1] > 0x8F):
        return 0
    return size


cdef inline bint visible(const uint8_t *at, int size) noexcept:
    """The character changes nothing about how a line is shown: it is no control (C1), no separator of lines, and does
    not turn the direction of text."""
    if size == 2:
        return at[0] != 0xC2 or at[1] >= 0xA0
    if size == 3 and at[0] == 0xE2:
        if at[1] == 0x80:
            return not (0x8E <= at[2] <= 0x8F or 0xA8 <= at[2] <= 0xAE)
        return not (at[1] == 0x81 and 0xA6 <= at[2] <= 0xA9)
    return True


cdef inline char *codes(char *out, const uint8_t *at, int size) noexcept:
    """A character of two or three bytes of UTF-8, as JSON escapes it."""
    cdef int code = (at[0] & 31) << 6 | at[1] & 63 if size == 2 else (at[0] & 15) << 12 | (at[1] & 63) << 6 | at[2] & 63
    out[0], out[1], out[2], out[3] = c'\\', c'u', hexadecimal(code >> 12 & 15), hexadecimal(code >> 8 & 15)
    out[4], out[5] = hexadecimal(code >> 4 & 15), hexadecimal(code & 15)
    return out + 6


cdef inline char *escaped(char *out, uint8_t byte, bint json) noexcept:
    """A byte that is no character, or one that may not stand as it is: `\\u00e4` in JSON, `\\xe4` elsewhere."""
    out[0] = c'\\'
    if not json:
        out[1] = c'x'
        out += 2
    elif byte in (c'"', c'\\'):
        out[1] = byte
        return out + 2
    else:
        out[1], out[2], out[3] = c'u', c'0', c'0'
        out += 4
    out[0], out[1] = hexadecimal(byte >> 4), hexadecimal(byte & 15)
    return out + 2


cdef inline uint64_t each(uint8_t byte) noexcept:
    """A word of eight of that byte."""
    return <uint64_t>0x0101010101010101 * byte


cdef inline bint any_of(uint64_t word, uint8_t byte) noexcept:
    """Whether one of the bytes of a word is this one (below 128), given that none is above 127."""
    cdef uint64_t other = word ^ each(byte)
    return ((other - each(1)) & ~other & each(128)) != 0


cdef inline bint clean(uint64_t word) noexcept:
    """Whether all eight bytes of a word are ASCII and may stand as they are."""
    return not ((word | ((word - each(32)) & ~word)) & each(128) or any_of(word, c'"') or any_of(word, c'\\')
                or any_of(word, 127))


cdef inline char *escape(char *out, Text text, Py_ssize_t most, bint json) noexcept:
    """Write at most so many bytes of the text (at least 4) in up to six times as many; returns where it ends."""
    cdef const uint8_t *at = <const uint8_t *>text.start
    cdef const uint8_t *end = at + min(text.size, most)
    cdef uint64_t word
    cdef int size
    if text.size > most and json:       # not within a character
        for size in range(1, 4):
            if sequence(end - size, text.size - most + size) > size:
                end -= size
                break
    while at < end:
        if end - at >= 8:       # most text is clean
            memcpy(&word, at, 8)
            if clean(word):
                memcpy(out, at, 8)
                out += 8
                at += 8
                continue
        if 32 <= at[0] < 127 and at[0] != c'"' and at[0] != c'\\':
            out[0] = at[0]
            out += 1
            at += 1
            continue
        size = sequence(at, end - at) if json and at[0] >= 128 else 0
        if size == 0:
            out = escaped(out, at[0], json)
            size = 1
        elif visible(at, size):
            memcpy(out, at, size)
            out += size
        else:
            out = codes(out, at, size)
        at += size
    return out

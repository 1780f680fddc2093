"""The chunked coding (RFC 9112 section 7.1), byte by byte: which bytes pass, which are content, and where it ends."""

from libc.stdint cimport int64_t, uint8_t

from lbd.http.grammar cimport HEX, KIND, LOWER, TOKEN
from lbd.http.lines cimport BAD_CHUNK, LONG_BODY, LONG_CHUNK_LINE, put

cdef enum:
    MOST_DIGITS = 15         # of a chunk size
    MOST_LINE = 256          # bytes of the first line of a chunk

cdef enum:    # State
    SIZE
    EXTENSION            # from here to QUOTED_END: inside an extension, which goes no further
    NAME_FIRST
    IN_NAME
    NAME_END
    VALUE_FIRST
    IN_VALUE
    QUOTED
    QUOTED_PAIR
    QUOTED_END
    LINE_CR
    LINE_LF
    CONTENT
    CONTENT_CR
    CONTENT_LF
    TRAILER_FIRST
    TRAILERS             # the caller reads them
    LAST_LF
    DONE
    BROKEN

cdef struct Chunked:
    int state
    int digits           # of the size, so far
    int line             # bytes of the line, so far
    bint decode
    int64_t left         # of the chunk
    int64_t size         # bytes of content so far
    int64_t limit        # the most; 0: none


cdef inline int in_extension(int state, uint8_t c) noexcept nogil:
    """The state after `c` in an extension; LINE_CR when it ends before c; BROKEN when c cannot stand here."""
    cdef bint blank = c == 32 or c == 9
    if state == QUOTED:
        if c == 34:
            return QUOTED_END
        return QUOTED_PAIR if c == 92 else QUOTED if blank or (c > 32 and c != 127) else BROKEN
    if state == QUOTED_PAIR:
        return QUOTED if blank or (c > 32 and c != 127) else BROKEN
    if KIND[c] & TOKEN:
        if state == NAME_FIRST or state == IN_NAME:
            return IN_NAME
        return IN_VALUE if state == VALUE_FIRST or state == IN_VALUE else BROKEN
    if blank:
        if state == IN_NAME:
            return NAME_END
        return EXTENSION if state == IN_VALUE or state == QUOTED_END else state
    if state == NAME_FIRST:
        return BROKEN
    if state == VALUE_FIRST:
        return QUOTED if c == 34 else BROKEN
    if c == 59:
        return NAME_FIRST
    if c == 61 and (state == IN_NAME or state == NAME_END):
        return VALUE_FIRST
    return LINE_CR if c == 13 and state != EXTENSION and state != NAME_END else BROKEN


cdef inline int in_size(Chunked* it, uint8_t c) noexcept nogil:
    """Take a digit of the size, or find what follows it."""
    if KIND[c] & HEX:
        if it.digits == MOST_DIGITS:
            return BROKEN
        it.digits += 1
        it.left = it.left * 16 + (c - 48 if c <= 57 else LOWER[c] - 87)
        return SIZE
    if it.digits == 0:
        return BROKEN
    if c == 13:
        return LINE_CR
    return EXTENSION if c == 59 or c == 32 or c == 9 else BROKEN


cdef inline int on_line(Chunked* it, uint8_t c) noexcept nogil:
    """The state after `c` at the end of a line, or before a line begins."""
    if it.state == LINE_CR or it.state == CONTENT_CR or it.state == TRAILER_FIRST:
        if c == 13:
            return LAST_LF if it.state == TRAILER_FIRST else it.state + 1
        return TRAILERS if it.state == TRAILER_FIRST else BROKEN
    if c != 10:
        return BROKEN
    if it.state == LINE_LF:
        return CONTENT if it.left else TRAILER_FIRST
    if it.state == CONTENT_LF:
        it.digits = it.line = 0
        return SIZE
    return DONE


cdef inline bint passes(const Chunked* it) noexcept nogil:
    if it.decode:
        return it.state == CONTENT
    return not EXTENSION <= it.state <= QUOTED_END


cdef inline int follow(Chunked* it, const uint8_t* p, size_t size, uint8_t** to, size_t* done) noexcept nogil:
    """Go through `size` bytes: 0, or a Fault. Sets `done` to how many belong to the body.

    The data that pass are copied to `to` only up to the last byte that does not: from done[1] to done[0] they are in
    place.
    """
    cdef size_t i = 0
    cdef size_t run = 0
    cdef bint copying = True
    cdef bint now
    cdef int64_t some
    cdef int state
    while i < size and it.state != DONE and it.state != TRAILERS:
        now = passes(it)
        if now != copying:
            if copying:
                to[0] = put(to[0], p + run, i - run)
            run = i
            copying = now
        if it.state == CONTENT:
            some = min(it.left, <int64_t>(size - i))
            it.left -= some
            it.size += some
            i += some
            if it.left == 0:
                it.state = CONTENT_CR
            continue
        state = it.state
        if state <= QUOTED_END:
            it.state = in_size(it, p[i]) if state == SIZE else in_extension(state, p[i])
            if it.state == LINE_CR or (state == SIZE and it.state == EXTENSION):
                continue
        else:
            it.state = on_line(it, p[i])
            if it.state == TRAILERS:
                break
            if it.state == CONTENT and it.limit and it.size + it.left > it.limit:
                return LONG_BODY
        if it.state == BROKEN:
            return BAD_CHUNK
        if it.state <= LINE_LF:
            it.line += 1
            if it.line > MOST_LINE:
                return LONG_CHUNK_LINE
        i += 1
    done[0] = i
    done[1] = run if copying else i
    return 0

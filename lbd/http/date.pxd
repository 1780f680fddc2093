"""The Date of now (RFC 9110 6.6.1), written once per second."""

from libc.stdint cimport uint8_t
from libc.stdio cimport snprintf
from libc.string cimport memcpy
from libc.time cimport gmtime_r, time, time_t, tm

cdef extern from *:
    """
    static struct { time_t second; size_t size; char line[64]; } lbd_date;
    """
    ctypedef struct Dated:
        time_t second
        size_t size          # 0: nothing is written yet
        char line[64]
    Dated DATED "lbd_date"


cdef inline size_t write_date(time_t second, char* to) noexcept nogil:
    """Write the field of that second with its line end; its size, 0 when there is no such date. `to` has 64 bytes."""
    cdef const char* days = "SunMonTueWedThuFriSat"
    cdef const char* months = "JanFebMarAprMayJunJulAugSepOctNovDec"
    cdef tm at
    cdef int size
    if gmtime_r(&second, &at) is NULL:
        return 0
    size = snprintf(to, 64, "Date: %.3s, %02d %.3s %d %02d:%02d:%02d GMT\r\n", days + 3 * at.tm_wday, at.tm_mday,
                    months + 3 * at.tm_mon, at.tm_year + 1900, at.tm_hour, at.tm_min, at.tm_sec)
    return size if 0 < size < 64 else 0


cdef inline uint8_t* put_date(uint8_t* to) noexcept nogil:
    cdef time_t second = time(NULL)
    if second != DATED.second or not DATED.size:
        DATED.size = write_date(second, DATED.line)
        DATED.second = second
    memcpy(to, DATED.line, DATED.size)
    return to + DATED.size

# cython: language_level=3
"""C declarations of ids, for the kernels that write some."""

from libc.stdint cimport uint8_t


cdef void put_id(uint8_t* to, int halves) noexcept      # 16 digits for each half
cdef double draw() noexcept                             # from 0 to 1, below 1

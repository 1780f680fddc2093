# cython: language_level=3
"""Numbers by chance: the finisher of SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators")."""

from libc.stdint cimport uint64_t


cdef inline uint64_t mixed(uint64_t value) noexcept:
    """Any number made into one in which every bit depends on all of its bits."""
    value = (value ^ (value >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    value = (value ^ (value >> 27)) * <uint64_t>0x94D049BB133111EB
    return value ^ (value >> 31)

# cython: language_level=3
"""The order of reads and writes between processes that share memory without locks."""

from libc.stdint cimport int64_t

cdef extern from *:
    """
    #define lbd_load(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
    #define lbd_store(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)
    #define lbd_swap(p, old, v) __sync_bool_compare_and_swap((p), (old), (v))
    #define lbd_after_reads() __atomic_thread_fence(__ATOMIC_ACQUIRE)
    #define lbd_before_writes() __atomic_thread_fence(__ATOMIC_RELEASE)
    #define lbd_fence() __atomic_thread_fence(__ATOMIC_SEQ_CST)
    #if defined(__x86_64__) || defined(__i386__)
    #define lbd_pause() __builtin_ia32_pause()
    #else
    #define lbd_pause() __asm__ volatile("")
    #endif
    """
    int64_t lbd_load(int64_t *p) noexcept
    void lbd_store(int64_t *p, int64_t value) noexcept
    bint lbd_swap(int64_t *p, int64_t old, int64_t value) noexcept
    void lbd_after_reads() noexcept
    void lbd_before_writes() noexcept
    void lbd_fence() noexcept       # what was written before is seen by all before what is read behind it
    void lbd_pause() noexcept       # a moment of a busy wait


cdef inline void raise_to(int64_t *cell, int64_t value) noexcept:
    """A high-water mark, the one kind of cell with several writers."""
    cdef int64_t known = lbd_load(cell)
    while known < value and not lbd_swap(cell, known, value):
        known = lbd_load(cell)

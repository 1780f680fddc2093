# cython: language_level=3, cdivision=True
"""Latency as a mean under forward decay (Cormode, Shkapenyuk, Srivastava, Xu: "Forward Decay", ICDE 2009).

A sample at time t weighs exp((t - landmark) / decay). The landmark is shared, so readers of several lanes only add.
"""

from libc.math cimport exp, floor
from libc.stdint cimport int64_t

from lbd.stats.atomic cimport lbd_after_reads, lbd_before_writes, lbd_load, lbd_store

cdef enum:
    TRIES = 16               # of a reader that meets a writer, which may have been killed in the middle
    EPOCH = 32               # the landmark moves on every so many decays: one sample weighs at most exp(32)

cdef struct Latency:         # one cache line
    int64_t sequence         # odd while its writer is at work
    double landmark          # seconds; what the weights refer to
    double decay             # seconds
    double sum, weight       # of the samples, decayed
    double last              # when the last sample came
    double spare[2]

cdef struct Weight:
    double moment, decay, landmark, value


cdef inline double rescaling(double landmark, double decay, double to, double to_decay, double moment) noexcept:
    """The factor from weights under one landmark and decay to weights under another."""
    cdef double power = (landmark - to) / decay
    if decay != to_decay:
        power = (landmark - moment) / decay + (moment - to) / to_decay
    return exp(min(max(power, -300.0), 300.0))


cdef inline Weight weigh(double moment, double decay) noexcept:
    """The weight of a sample taken now."""
    cdef Weight now
    now.moment = moment
    now.decay = decay
    now.landmark = floor(moment / (EPOCH * decay)) * (EPOCH * decay)
    now.value = exp((moment - now.landmark) / decay)
    return now


cdef inline void sample(Latency *cell, double value, Weight now) noexcept:
    """Add a sample; only by the cell's writer."""
    cdef double scale
    cell.sequence = (cell.sequence + 1) | 1         # odd, also after an owner that was killed in the middle
    lbd_before_writes()
    if cell.landmark != now.landmark or cell.decay != now.decay:
        scale = 0.0
        if cell.weight > 0:
            scale = rescaling(cell.landmark, cell.decay, now.landmark, now.decay, now.moment)
        cell.sum *= scale
        cell.weight *= scale
        cell.landmark = now.landmark
        cell.decay = now.decay
    cell.sum += value * now.value
    cell.weight += now.value
    cell.last = now.moment
    lbd_store(&cell.sequence, cell.sequence + 1)


cdef inline Latency copied(Latency *cell) noexcept:
    """A consistent copy; after some tries what is there, which is off by one sample at most."""
    cdef Latency copy
    cdef int64_t sequence
    cdef int attempt
    for attempt in range(TRIES):
        sequence = lbd_load(&cell.sequence)
        copy = cell[0]
        lbd_after_reads()
        if sequence & 1 == 0 and lbd_load(&cell.sequence) == sequence:
            break
    return copy


cdef inline void merge(Latency *sums, Latency *cell, double moment) noexcept:
    """Add another lane's samples to sums; the newer landmark stays, under which neither overflows."""
    cdef Latency older = cell[0]
    cdef double scale = 1.0
    if not older.weight > 0:
        return
    if not sums.weight > 0:
        sums[0] = older
        return
    if older.landmark > sums.landmark:
        older, sums[0] = sums[0], older
    if older.landmark != sums.landmark or older.decay != sums.decay:
        scale = rescaling(older.landmark, older.decay, sums.landmark, sums.decay, moment)
    sums.sum += older.sum * scale
    sums.weight += older.weight * scale
    sums.last = max(sums.last, older.last)

# cython: boundscheck=False, wraparound=False, cdivision=True
# cython: auto_pickle=False, autotestdict=False
"""Maglev's table: a share of the entries for each server, nearly the same entries whatever others there are.

The filling is that of Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer" (NSDI 2016, 3.4);
weights, as in Envoy, let a server take its turn less often. One thing differs: a server whose next entries are taken
gives its turn up. In the paper it goes on looking, and then the last entries of a full table hang together in long
chains: one of 500 servers removed moves 6 times its share of the keys, here twice, for shares that are equal to within
2 % (100 servers), 15 % (500) or 40 % (5000) instead of one entry.
"""

from libc.stdint cimport int32_t, int64_t, uint16_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

from lbd.balance.splitmix cimport mixed

cdef enum:
    EMPTY = 0xFFFF
    SIZE_ = 65537            # entries; prime, so that every step goes through all of them
    LOOKS = 3500             # entries that all servers together look at in a round, and the least of one in its turn
    LEAST_LOOKS = 6
    TRIES = 64               # for a server in place of one that is left out

SIZE = SIZE_

cdef struct Turn:
    int32_t at, step         # where the server looks next, and how far it moves then
    int32_t weight           # 0: it gets none
    int32_t turns            # how often it was due
    int32_t next             # the server behind it in the same round, -1 for none


cdef class MaglevTable:
    cdef uint16_t *all       # entries with all servers
    cdef uint16_t *used      # what `find` reads: indices as `narrow` gave them
    cdef Turn *turns
    cdef Py_ssize_t servers

    def __cinit__(self, hashes, weights):
        cdef Py_ssize_t place
        cdef uint64_t value
        self.servers = len(hashes)
        if not 0 < self.servers < EMPTY or len(weights) != self.servers:
            raise ValueError(f"1 to {EMPTY - 1} servers with as many weights fit, not {self.servers} and {len(weights)}")
        self.all = <uint16_t *>malloc(SIZE_ * sizeof(uint16_t))
        self.used = <uint16_t *>malloc(SIZE_ * sizeof(uint16_t))
        self.turns = <Turn *>calloc(self.servers, sizeof(Turn))
        if self.all == NULL or self.used == NULL or self.turns == NULL:
            raise MemoryError
        for place in range(self.servers):
            value = hashes[place]
            if not 1 <= weights[place] <= 1000000:
                raise ValueError(f"a weight is 1 to 1000000, not {weights[place]}")
            self.turns[place].at = (value & 0xFFFFFFFF) % SIZE_
            self.turns[place].step = (value >> 32) % (SIZE_ - 1) + 1
            self.turns[place].weight = weights[place]
        self._fill(self.all, self.turns)
        self.narrow(range(self.servers))

    def __dealloc__(self):
        free(self.all)
        free(self.used)
        free(self.turns)

    cdef int _fill(self, uint16_t *entries, const Turn *origin) except -1:
        cdef Turn *turns = <Turn *>malloc(self.servers * sizeof(Turn))
        cdef int32_t *rounds = <int32_t *>malloc((SIZE_ + 1) * sizeof(int32_t))
        cdef Py_ssize_t place
        try:
            if turns == NULL or rounds == NULL:
                raise MemoryError
            for place in range(self.servers):
                turns[place] = origin[place]
            fill(entries, turns, self.servers, rounds)
        finally:
            free(turns)
            free(rounds)
        return 0

    def narrow(self, indices):
        cdef Py_ssize_t place, left = 0
        cdef int32_t *known = <int32_t *>calloc(self.servers, sizeof(int32_t))
        cdef Turn *turns = <Turn *>malloc(self.servers * sizeof(Turn))
        cdef int32_t entry
        try:
            if known == NULL or turns == NULL:
                raise MemoryError
            if len(indices) != self.servers or max(indices) < 0 or max(indices) >= EMPTY:
                raise ValueError(f"{self.servers} servers need as many indices, at least one of them not -1")
            for place in range(self.servers):
                known[place] = indices[place]
                turns[place] = self.turns[place]
                if known[place] < 0:
                    turns[place].weight = 0
            for entry in range(SIZE_):
                left += known[self.all[entry]] >= 0
            if left * 4 < SIZE_:
                self._fill(self.used, turns)
                for entry in range(SIZE_):
                    self.used[entry] = known[self.used[entry]]
            else:
                self._stand_in(known)
        finally:
            free(known)
            free(turns)

    cdef void _stand_in(self, const int32_t *known) noexcept:
        """An entry of a server that is left out goes to the owner of another, found by chance that is always the same:
        nothing else moves, and shares stay by weight."""
        cdef int32_t entry, owner
        cdef uint64_t chance
        cdef int attempt
        for entry in range(SIZE_):
            owner = known[self.all[entry]]
            chance = <uint64_t>entry
            attempt = 0
            while owner < 0:
                attempt += 1
                chance = mixed(chance + 0x9E3779B97F4A7C15u)
                # Late tries go through the table: at least a quarter of it is of servers that are there.
                owner = known[self.all[chance % SIZE_ if attempt < TRIES else (entry + attempt) % SIZE_]]
            self.used[entry] = owner

    def find(self, uint64_t value):
        return self.used[value % SIZE_]

    def shares(self):
        cdef int32_t entry
        counts = {}
        for entry in range(SIZE_):
            counts[self.used[entry]] = counts.get(self.used[entry], 0) + 1
        return counts


cdef void fill(uint16_t *entries, Turn *turns, Py_ssize_t servers, int32_t *rounds) noexcept:
    """Round after round, each server that is due takes the next free entry of its own permutation, if it is near.

    The heaviest server is due in every round, one of a third of its weight in every third; all are in the first.
    """
    cdef int64_t heaviest = 1, due
    cdef int32_t place, following, filled = 0, number = 0, looks, most = max(LEAST_LOOKS, LOOKS // <int32_t>servers)
    cdef Turn *turn
    memset(entries, 0xFF, SIZE_ * sizeof(uint16_t))
    memset(rounds, 0xFF, (SIZE_ + 1) * sizeof(int32_t))
    for place in range(servers - 1, -1, -1):
        if turns[place].weight > 0:
            heaviest = max(heaviest, turns[place].weight)
            turns[place].next = rounds[0]
            rounds[0] = place
    while True:
        place = rounds[number]
        while place >= 0:
            turn = &turns[place]
            following = turn.next
            looks = 0
            while entries[turn.at] != EMPTY and (looks < most or not turn.turns):
                looks += 1
                turn.at = (turn.at + turn.step) % SIZE_
            if entries[turn.at] == EMPTY:
                entries[turn.at] = place
                filled += 1
                if filled == SIZE_:
                    return
            turn.turns += 1
            due = (turn.turns * heaviest + turn.weight - 1) // turn.weight
            if due <= SIZE_:
                turn.next = rounds[due]
                rounds[due] = place
            place = following
        number += 1

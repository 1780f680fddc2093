"""The scoreboard of a version with another layout: its counters go on in this version's."""

import mmap
import struct
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from lbd.stats import fields, scoreboard
from lbd.stats.layout import CELL, PAGE, arrange
from lbd.stats.scoreboard import Board
from lbd.stats.slots import Slots

Owner = tuple[Hashable, int, float]   # owner of a row, its slot, and its latency in seconds (-1.0: none)


def described(board: Board, slots: Slots) -> dict[str, Any]:
    """This version's scoreboard, for one that may lay it out otherwise: where its counters are, and whose."""
    layout = arrange()
    kinds = []
    for kind, (about, section) in enumerate(zip(fields.KINDS, layout.sections, strict=True)):
        counters = [(place, key(field)) for place, field in enumerate(about.fields) if not field.gauge]
        owners: list[Owner] = [(identity, slot, _latency(board, kind, slot))
                               for identity, slot in slots.owners(kind).items()]
        kinds.append({"name": about.name, "cells": section.cells, "stride": section.stride, "counters": counters,
                      "owners": owners if kind != scoreboard.PROCESS else [("", 0, -1.0)]})
    return {"page": PAGE, "lane": layout.size, "lanes": board.lanes, "bounds": board.bounds, "kinds": kinds}


def _latency(board: Board, kind: int, slot: int) -> float:
    if kind == scoreboard.SERVER:
        return board.latency(slot)
    return board.mean(slot) if kind == scoreboard.BACKEND else -1.0


def key(field: fields.Field) -> str:
    """The name of a field in every version: places within a row move."""
    return f"{field.metric}{{{field.label[1]}}}" if field.label and field.metric else field.name


def identity_of(found: Any) -> Hashable:
    """An owner as JSON has given it back."""
    return tuple(found) if isinstance(found, list) else str(found)


def _histograms(kind: int) -> set[int]:
    """The places of a kind's histograms in its rows."""
    return {place for histogram in fields.KINDS[kind].histograms
            for place in range(histogram.first, histogram.first + fields.MOST_BOUNDS + 2)}


class OldScoreboard:
    """Another version's scoreboard. Raises KeyError, TypeError or ValueError for a description that is none."""

    def __init__(self, fd: int, about: Mapping[str, Any]) -> None:
        self._memory = mmap.mmap(fd, 0, mmap.MAP_SHARED, mmap.PROT_READ)
        self._page, self._lane, self._lanes = int(about["page"]), int(about["lane"]), int(about["lanes"])
        if min(self._page, self._lane, self._lanes) < 1 or self._page + self._lane * self._lanes > len(self._memory):
            raise ValueError("its size is not what was said of it")
        self._bounds = tuple(map(float, about.get("bounds", ())))
        self._added: dict[tuple[str, int, int], tuple[float, ...]] = {}   # by kind, slot and lane
        self._kinds: list[tuple[int, str, int, int, list[tuple[int, int]], list[Owner]]] = []
        ours = {kind.name: number for number, kind in enumerate(fields.KINDS)}
        for found in about["kinds"]:
            if (kind := ours.get(str(found["name"]))) is None:
                continue
            known = {key(field): place for place, field in enumerate(fields.KINDS[kind].fields) if not field.gauge}
            places = [(int(place), known[name]) for place, name in found["counters"] if name in known]
            owners = [(identity_of(owner), int(slot), float(latency)) for owner, slot, latency in found["owners"]]
            self._kinds.append((kind, str(found["name"]), int(found["cells"]), int(found["stride"]), places, owners))

    def identities(self) -> set[tuple[int, Hashable]]:
        """The owners of its rows, with the number of their kind."""
        return {(kind, owner) for kind, *_, owners in self._kinds for owner, _, _ in owners
                if kind != scoreboard.PROCESS}

    def begin(self, board: Board, slots: Slots, lane: int) -> None:
        """Take over the counters until now, and the latencies; `lane` is one that no worker writes to."""
        self.add(range(self._lanes), board, slots, lane)
        for kind, _, _, _, _, owners in self._kinds:
            for owner, _, latency in owners:
                if latency > 0 and kind in (scoreboard.SERVER, scoreboard.BACKEND):
                    board.row(lane, kind, slots.allocate(kind, owner)).learn(latency)

    def add(self, lanes: Iterable[int], board: Board, slots: Slots, lane: int) -> None:
        """Add the growth of the counters in these lanes of it since the last time."""
        wanted = [number for number in lanes if 0 <= number < self._lanes]
        for kind, name, cells, stride, places, owners in self._kinds:
            if board.bounds != self._bounds:   # the buckets of histograms are others
                places = [(theirs, ours) for theirs, ours in places if ours not in _histograms(kind)]
            count = max((place for place, _ in places), default=-1) + 1
            for owner, slot, _ in owners:
                target = None
                for number in wanted:
                    start = self._page + number * self._lane + cells + slot * stride
                    now = struct.unpack_from(f"{count}d", self._memory, start)
                    before = self._added.get((name, slot, number))
                    if not any(now) or now == before:
                        continue
                    if target is None:
                        target = board.row(lane, kind, 0 if kind == scoreboard.PROCESS else slots.allocate(kind, owner))
                    for theirs, ours in places:
                        target.add(ours, now[theirs] - (before[theirs] if before else 0.0))
                    self._added[name, slot, number] = now


assert struct.calcsize("d") == CELL

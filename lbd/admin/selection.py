"""The selection of the servers on the page, so that a fleet of thousands stays readable."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lbd.admin import columns
from lbd.admin.columns import Row

FEW = 100      # servers in all, up to which every backend is expanded by default
MOST = 200     # servers that a search shows


@dataclass(frozen=True, slots=True)
class Selection:
    """A query: `find` holds words that a server must contain; `show` names the expanded backends, None for a choice by
    the size of the fleet. A search covers all backends."""

    find: str = ""
    show: Collection[str] | None = None

    def select(self, groups: Mapping[str, list[Row]]) -> dict[str, list[Row] | None]:
        """The servers to show of each backend, None of a collapsed one; backends without a hit are left out."""
        if not self.find.strip():
            few = sum(map(len, groups.values())) <= FEW
            opened = self.show if self.show is not None else groups if few else ()
            return {name: rows if name in opened else None for name, rows in groups.items()}
        left = MOST
        found: dict[str, list[Row] | None] = {}
        for name, rows in groups.items():
            hits = columns.matching(rows, self.find)[:left]
            left -= len(hits)
            if hits:
                found[name] = hits
        return found

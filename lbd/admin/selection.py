"""The selection: of which backends the page shows servers, and which of them; few people look at a thousand."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lbd.admin import columns
from lbd.admin.columns import Row

FEW = 100      # servers in all up to which every backend is open unless it is closed
MOST = 200     # servers that a search shows


@dataclass(frozen=True, slots=True)
class Selection:
    """`find` holds words that a server has to have; `show` the names of open backends, None for those that the size of
    the fleet suggests. A search looks into all backends."""

    find: str = ""
    show: Collection[str] | None = None

    def of(self, groups: Mapping[str, list[Row]]) -> dict[str, list[Row] | None]:
        """For each backend the servers to show, None where it is closed; backends without a hit are left out."""
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

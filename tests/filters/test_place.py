"""The place of a filter."""

from lbd import schema
from lbd.filters.place import FilterPlace

from .asked import place


def test_a_place_is_of_the_tables_of_a_route() -> None:
    made = place(host="a")
    assert isinstance(made, FilterPlace)
    assert made.backend == schema.BackendConfig(host="a")

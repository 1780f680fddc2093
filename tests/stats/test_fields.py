"""Tests of lbd.stats.fields: the table of cells."""

import re

from lbd import schema
from lbd.schema import units
from lbd.stats import endings, fields
from lbd.stats.fields import KINDS


def test_constants_are_places_in_the_table() -> None:
    server, route, backend, listener, process = KINDS
    assert server.fields[fields.SERVER_CONNECTIONS].name == "connections"
    assert route.fields[fields.ROUTE_BYTES_OUT].name == "bytes_out"
    assert backend.fields[fields.BACKEND_RETRIES_LOST].label == ("reason", "lost")
    assert listener.fields[fields.LISTENER_DENIED].name == "denied"
    assert process.fields[fields.PROCESS_PID].gauge


def test_names_are_unique_within_a_kind() -> None:
    for kind in KINDS:
        names = [field.name for field in kind.fields]
        assert len(set(names)) == len(names)


def test_classes_of_status_lie_side_by_side() -> None:
    for kind, first in ((KINDS[0], fields.SERVER_REQUESTS), (KINDS[1], fields.ROUTE_REQUESTS)):
        assert [kind.fields[first + place].label for place in range(len(fields.CODES))] == [
            ("code", code) for code in fields.CODES]


def test_endings_have_room_and_only_those_there_are_exported() -> None:
    cells = KINDS[4].fields[fields.PROCESS_ENDINGS:fields.PROCESS_ENDINGS + endings.ROOM]
    assert [cell.label for cell in cells if cell.metric] == [("ending", ending.name) for ending in endings.ENDINGS]


def test_a_metric_is_of_one_type_and_belongs_to_one_kind() -> None:
    seen: dict[str, tuple[str, bool, str]] = {}
    for kind in KINDS:
        for field in kind.fields:
            if field.metric:
                assert seen.setdefault(field.metric, (kind.name, field.gauge, field.text)) == (
                    kind.name, field.gauge, field.text)
    for metric in seen:
        assert re.fullmatch(r"lbd(_[a-z]+)+", metric)
        assert not metric.endswith("_total")


def test_histogram_bounds_rise() -> None:
    assert list(fields.RESPONSE_BOUNDS) == sorted(set(fields.RESPONSE_BOUNDS))
    assert schema.MetricsConfig().buckets == fields.RESPONSE_BOUNDS
    histogram = KINDS[2].histograms[0]
    assert histogram.first == fields.BACKEND_RESPONSE
    assert KINDS[2].fields[histogram.first + fields.MOST_BOUNDS + 1].name == "response_33"
    assert units.MOST_BUCKETS == fields.MOST_BOUNDS


def test_the_fingerprint_tells_layouts_apart() -> None:
    before = fields.fingerprint()
    assert before == fields.fingerprint()
    assert 0 < before < 2 ** 56
    KINDS[4].fields.append(fields.Field("extra", True, "", "", None))
    try:
        assert fields.fingerprint() != before
    finally:
        KINDS[4].fields.pop()

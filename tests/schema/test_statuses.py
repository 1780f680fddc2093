"""Sets of statuses: what is read, what is refused, and how they are written."""

import pytest

from lbd.schema.statuses import SERVER_ERRORS, STATUSES


@pytest.mark.parametrize(("given", "read", "written"), [
    (503, ((503, 503),), "503"),
    ("500-504", ((500, 504),), "500-504"),
    ("500, 502-504", ((500, 500), (502, 504)), "500,502-504"),
    ([500, "502-504"], ((500, 500), (502, 504)), "500,502-504"),
])
def test_what_is_read_is_written_the_same(given, read, written):
    assert SERVER_ERRORS.parse(given) == read
    assert SERVER_ERRORS.write(read) == written
    assert STATUSES.parse(written) == read


@pytest.mark.parametrize(("given", "problem"), [
    ("", "is no status"), ([], "is empty"), (True, "is "), ("5xx", "is no status"),
    ("504-500", "ends before it begins"),
    (499, "is not within 500 to 599"),
    ("404,502", "is not within 500 to 599"), ("500-600", "is not within 500 to 599"),
])
def test_only_errors_of_servers_are_failures_of_servers(given, problem):
    with pytest.raises(ValueError, match=problem):
        SERVER_ERRORS.parse(given)

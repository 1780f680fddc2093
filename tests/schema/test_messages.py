"""Tests of lbd.schema.messages: nothing that a configuration puts into messages may break their framing."""

from typing import Any

import pytest

from lbd.schema import messages as m
from lbd.schema.kinds import ValueKind


@pytest.mark.parametrize(("kind", "written", "value"), [
    (m.FIELD_NAME, "X-A", "X-A"), (m.FIELD_NAMES, "X-A", ("X-A",)), (m.FIELD_VALUE, "a\tb é", "a\tb é"),
    (m.FIELDS, {"Host": "a", "X-B": ""}, {"Host": "a", "X-B": ""}), (m.EDITS, {"X-Case": "v"}, {"X-Case": "v"}),
    (m.EDIT_NAMES, ["Server"], ("Server",)), (m.HEADER_MATCH, {"X": "*"}, {"X": "*"}),
    (m.METHODS, "GET", ("GET",)), (m.METHODS, ["GET", "PURGE", "purge"], ("GET", "PURGE", "purge")),
    (m.URL_PATH, "/a b/é", "/a b/é"), (m.URL_PATH, "/100%", "/100%"), (m.TARGET, "/a?b=%20", "/a?b=%20"),
    (m.REGEX, "/v[0-9]+/.*", "/v[0-9]+/.*"), (m.HOST_PATTERN, "*.Example.com", "*.example.com"),
    (m.HOST_PATTERN, "A.b.", "a.b"), (m.HOST_PATTERN, "10.0.0.1", "10.0.0.1"), (m.HOST_PATTERN, "[::1]", "[::1]"),
    (m.AUTHORITY, "App_1.internal:8080", "App_1.internal:8080"), (m.AUTHORITY, "[::1]:80", "[::1]:80"),
    (m.AUTHORITY, "10.0.0.1", "10.0.0.1"), (m.AUTHORITY, "[::1]", "[::1]"),
    (m.REDIRECT, "https://{host}{path}?{query}", "https://{host}{path}?{query}"), (m.REDIRECT, "/new", "/new"),
])
def test_reads(kind: ValueKind, written: Any, value: Any) -> None:
    assert kind.parse(written) == value


@pytest.mark.parametrize(("kind", "written", "why"), [
    (m.FIELD_NAME, "X A", "is not the name"), (m.FIELD_NAME, "", "is not the name"),
    (m.FIELD_NAME, "X:", "is not the name"),
    (m.FIELD_VALUE, "a\r\nb", "has a control character"), (m.FIELD_VALUE, " a", "begins or ends with white space"),
    (m.FIELD_VALUE, "a\0", "contains a NUL"), (m.FIELDS, {"X": "a\n"}, 'holds "a\\\\n", which has a control character'),
    (m.EDITS, {"Transfer-Encoding": "chunked"}, "holds .* frames messages"),
    (m.EDITS, {"host": "a"}, "holds .* key `host`"),
    (m.EDIT_NAMES, ["X", "content-length"], "holds .* frames messages"),
    (m.HEADER_MATCH, {"X": ""}, "holds .* is empty"),
    (m.METHODS, "get", 'is not "GET"'), (m.METHODS, ["A B"], "holds .* is not a method"),
    (m.METHOD, "CONNECT", "is never"),
    (m.URL_PATH, "a", "does not begin"), (m.URL_PATH, "/a?b", "has a query"),
    (m.URL_PATH, "/a%20b", "is percent-encoded"),
    (m.URL_PATH, "/a/../b", "has a dot segment"), (m.URL_PATH, "/a\nb", "has a control character"),
    (m.TARGET, "/a b", "has a character in it that must be percent-encoded"), (m.TARGET, "a", "does not begin"),
    (m.TARGET, "/é", "has a character"), (m.REGEX, "(a", r"is not a pattern \(missing \): \(a\)"),
    (m.REGEX, "(?=a)", "is not a pattern"), (m.HOST_PATTERN, "a.*.b", 'has a "\\*"'),
    (m.HOST_PATTERN, "a:80", "has a port"),
    (m.HOST_PATTERN, "", "is not a host name"), (m.HOST_PATTERN, "*.", "is not a host name"),
    (m.AUTHORITY, "a b", "is not a host name"), (m.AUTHORITY, "a/b", "is not a host name"),
    (m.AUTHORITY, "", "is not a host name"), (m.AUTHORITY, "a\r\nX: y", "has a port"),
    (m.AUTHORITY, "a:", "has a port"), (m.AUTHORITY, "a:99999", "has a port"),
    (m.AUTHORITY, "[::1]80", "has a port"), (m.AUTHORITY, "::1", "has a port"),
    (m.REDIRECT, "ftp://a", "begins with neither"), (m.REDIRECT, "/{user}", "has the unknown placeholder"),
    (m.REDIRECT, "/a\r\nX: y", "has a character"), (m.REDIRECT, "/{", "has the unknown placeholder"),
])
def test_refuses(kind: ValueKind, written: Any, why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}"):
        kind.parse(written)

"""The head of a message: what is read of it and changed in it, against a list of fields that does the same plainly."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbd.http.head import WHOLE, Request, Response
from lbd.http.message import Head, cookie_value

TEXT = b"GET /a HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx_a: 2\r\nCOOKIE:c\r\n\r\n"


def made(*lines: bytes, start: bytes = b"GET /a HTTP/1.1", body: bytes = b"") -> Head:
    return Head(b"\r\n".join([start, *lines, b"", b""]) + body)


def scanned(data: bytes) -> Head:
    scanner = Request(32768, 100, 8192)
    assert scanner.scan(data, 0, b"", b"http", False) > 0
    return scanner.message


def test_facts_of_a_text() -> None:
    request = Head(TEXT + b"body")
    assert (request.method, request.target, request.host) == (b"GET", b"/a", b"x")
    assert (request.size, request.original, request.hops, request.minor) == (len(TEXT), b"", -1, 1)
    answer = Head(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert (answer.status, answer.method, answer.text) == (204, b"", b"HTTP/1.1 204 No Content\r\n\r\n")


@pytest.mark.parametrize("bad", [b"", b"GET", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nA: b\r\n", b"GET\r\n\r\n",
                                 b"GET / HTTP/1.1\r\nA: b\r\n\r"])
def test_what_is_no_head(bad: bytes) -> None:
    with pytest.raises(ValueError, match="not a head"):
        Head(bad)


def test_values() -> None:
    head = made(b"A: 1", b"a:\t2 ", b"AB: 3", b"a_b: 4", b"A:", body=b"A: 5\r\n\r\n")
    assert head.values(b"a") == [b"1", b"2", b""]
    assert head.get(b"a") == b"1"
    assert head.values(b"a-b") == []
    assert head.get(b"a-b") is None


def test_fields_in_order() -> None:
    head = made(b"Host: x", b"B:  2 ", b"a: 1", b"B:", body=b"C: 3\r\n\r\n")
    assert list(head) == [(b"Host", b"x"), (b"B", b"2"), (b"a", b"1"), (b"B", b"")]
    head.set(b"B", b"3")
    assert list(head) == [(b"Host", b"x"), (b"a", b"1"), (b"B", b"3")]


def test_changes() -> None:
    head = Head(TEXT)
    head.change((), b"")
    assert head.text is TEXT
    assert head.original == b""
    head.target = b"/b?c"
    assert head.original is TEXT
    head.change((b"x-a", b"cookie"), b"Y: 1\r\nZ: 2\r\n")
    assert head.text == b"GET /b?c HTTP/1.1\r\nHost: x\r\nx_a: 2\r\nY: 1\r\nZ: 2\r\n\r\n"
    assert (head.size, head.target, head.original) == (len(head.text), b"/b?c", TEXT)
    answer = Head(b"HTTP/1.1 200 OK\r\nServer: s\r\n\r\n")
    answer.remove(b"server")
    assert answer.text == b"HTTP/1.1 200 OK\r\n\r\n"


def test_names_that_fold() -> None:
    head = made(b"X-A: 1", b"x_a: 2", b"X.A: 3", b"X-AB: 4")
    head.remove(b"x-a", True)
    assert head.text == b"GET /a HTTP/1.1\r\nX-AB: 4\r\n\r\n"
    head = made(b"X-B: 1")
    head.change((), b"X_B: 2\r\n")
    head.change((b"x-b",), b"X-B: 3\r\n", True)
    assert head.text == b"GET /a HTTP/1.1\r\nX-B: 3\r\n\r\n"


def test_changes_are_written_out_once() -> None:
    head = Head(TEXT)
    head.add(b"A", b"1")
    assert head.text is head.text
    before = head.text
    head.remove(b"nothing")
    assert head.text is before
    head.add(b"B", b"2")
    assert head.text == before[:-2] + b"B: 2\r\n\r\n"
    assert head.original is TEXT


def test_a_change_that_changes_nothing_copies_nothing() -> None:
    head = Head(TEXT)
    head.remove(b"x-none")
    assert head.values(b"host") == [b"x"]
    assert head.text is TEXT
    assert head.original == b""


def test_changes_that_count_as_the_clients_own() -> None:
    head = Head(TEXT)
    head.set(b"Host", b"y")
    head.settle()
    assert head.original == b""
    settled = head.text
    assert settled.count(b"Host: y\r\n") == 1
    head.remove(b"x-a")
    assert head.text != settled
    assert head.original == settled


def test_a_body_behind_the_head_stays_there() -> None:
    head = made(b"A: 1", body=b"A: body\r\n\r\n")
    head.set(b"A", b"2")
    assert head.text == b"GET /a HTTP/1.1\r\nA: 2\r\n\r\nA: body\r\n\r\n"
    assert head.text[head.size:] == b"A: body\r\n\r\n"
    joined = made(b"A: 1")
    joined.remove(b"a")
    joined.join(b"more")
    assert joined.text == b"GET /a HTTP/1.1\r\n\r\nmore"
    joined.join(b"other")
    joined.join(b"more")
    joined.add(b"B", b"2")
    assert joined.text == b"GET /a HTTP/1.1\r\nB: 2\r\n\r\nmore"
    assert joined.text[joined.size:] == b"more"


def test_the_body_of_a_whole_answer() -> None:
    scanner = Response(32768, 100)
    data = b"HTTP/1.1 200 OK\r\nDate: x\r\nContent-Length: 5\r\n\r\nhello"
    assert scanner.scan(data, 0, False, 1, True) & WHOLE
    head = scanner.message
    assert head.text[head.size:] == b"hello"
    head.add(b"A", b"1")
    assert head.text[head.size:] == b"hello"
    assert head.text[:head.size].endswith(b"\r\nA: 1\r\n\r\n")


def test_heads_of_a_scanner_stay_as_they_are() -> None:
    scanner = Request(32768, 100, 8192)
    heads = []
    for name in (b"a", b"b"):
        assert scanner.scan(b"GET /%b HTTP/1.1\r\nHost: %b\r\n\r\n" % (name, name), 0, b"", b"http", False) > 0
        heads.append(scanner.message)
    assert [(head.target, head.host, head.get(b"host")) for head in heads] == [(b"/a", b"a", b"a"), (b"/b", b"b", b"b")]


@pytest.mark.parametrize("act", [
    lambda head: head.add(b"A", b"1\r\nB: 2"), lambda head: head.add(b"A", b"1\nB: 2"),
    lambda head: head.set(b"A", b"\r"), lambda head: head.add(b"A: 1\r\nB", b"2"), lambda head: head.add(b"", b"2"),
    lambda head: head.set(b"A\n", b"2")])
def test_a_field_is_one_line(act: Callable[[Head], None]) -> None:
    head = Head(TEXT)
    with pytest.raises(ValueError, match="one line"):
        act(head)
    assert head.text is TEXT


@pytest.mark.parametrize("target", [b"", b"/a b", b"/a\r\nX: 1", b"/\n"])
def test_a_target_that_is_none(target: bytes) -> None:
    head = Head(TEXT)
    with pytest.raises(ValueError, match="target"):
        head.target = target
    assert head.target == b"/a"
    assert head.text is TEXT


def test_more_lines_than_an_index_has_room_for_at_first() -> None:
    head = made(*(b"A%d: %d" % (number, number) for number in range(80)))
    assert [head.get(b"a%d" % number) for number in range(80)] == [b"%d" % number for number in range(80)]
    for number in range(0, 80, 2):
        head.remove(b"a%d" % number)
    assert [name for name, _ in head] == [b"A%d" % number for number in range(1, 80, 2)]


class Naive:
    """The same by a list of fields."""

    def __init__(self, method: bytes, target: bytes, fields: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.method, self.target, self.fields, self.body = method, target, fields, body

    def get(self, name: bytes) -> bytes | None:
        return next(iter(self.values(name)), None)

    def values(self, name: bytes) -> list[bytes]:
        return [value for known, value in self.fields if known.lower() == name]

    def remove(self, name: bytes, fold: bool = False) -> None:
        def plain(text: bytes) -> bytes:
            return bytes(c if chr(c).isalnum() else 45 for c in text.lower()) if fold else text.lower()
        self.fields = [field for field in self.fields if plain(field[0]) != plain(name)]

    def add(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def set(self, name: bytes, value: bytes) -> None:
        self.remove(name)
        self.add(name, value)

    def change(self, removed: tuple[bytes, ...], lines: bytes, fold: bool) -> None:
        for name in removed:
            self.remove(name, fold)
        for line in lines.split(b"\r\n")[:-1]:
            name, _, value = line.partition(b": ")
            self.add(name, value)

    def last(self, name: bytes) -> bytes | None:
        found = self.values(name)
        return found[-1] if found else None

    def cookie(self, name: bytes) -> bytes | None:
        for line in self.values(b"cookie"):
            for pair in line.split(b";"):
                key, equals, value = pair.strip(b" \t").partition(b"=")
                if equals and key == name:
                    return value[1:-1] if len(value) > 1 and value[:1] == value[-1:] == b'"' else value
        return None

    def remove_cookie(self, name: bytes) -> None:
        pairs = [pair.strip(b" \t") for line in self.values(b"cookie") for pair in line.split(b";")]
        rest = b"; ".join(pair for pair in pairs if pair and pair.partition(b"=")[0] != name)
        self.change((b"cookie",), b"Cookie: %b\r\n" % rest if rest else b"", False)

    def join(self, body: bytes) -> None:
        self.body = body

    @property
    def text(self) -> bytes:
        return b"%b %b HTTP/1.1\r\n%b\r\n%b" % (
            self.method, self.target, b"".join(b"%b: %b\r\n" % field for field in self.fields), self.body)


NAMES = st.sampled_from([b"Host", b"X-A", b"x-a", b"X_A", b"X.A", b"Cookie", b"X-AB", b"A", b"b"])
LOWER = NAMES.map(bytes.lower)
VALUES = st.sampled_from([b"", b"1", b"a, b", b"x-a", b"\xe9", b"A: 1", b"v" * 200, b"id=1", b"a=2; id=3;b", b'id="4"',
                          b"id;;id= ; xid=5", b"; id =6"])
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=30)
LINES = st.lists(st.tuples(NAMES, VALUES).map(lambda field: b"%b: %b\r\n" % field), max_size=3).map(b"".join)
STEPS = st.lists(st.one_of(
    st.tuples(st.just("get"), LOWER), st.tuples(st.just("last"), LOWER),
    st.tuples(st.just("values"), LOWER), st.tuples(st.just("add"), NAMES, VALUES),
    st.tuples(st.just("set"), NAMES, VALUES), st.tuples(st.just("remove"), LOWER, st.booleans()),
    st.tuples(st.just("change"), st.lists(LOWER, max_size=3).map(tuple), LINES, st.booleans()),
    st.tuples(st.just("cookie"), st.sampled_from([b"id", b"a"])), st.tuples(st.just("remove_cookie"), st.just(b"id")),
    st.tuples(st.just("target"), st.sampled_from([b"/", b"/b?c", b"*"])), st.tuples(st.just("join"), VALUES),
    st.tuples(st.just("settle")), st.tuples(st.just("text")), st.tuples(st.just("iterate"))), max_size=12)


def apply(head: Any, step: tuple[Any, ...]) -> Any:
    """The outcome of one step at a head of either kind."""
    name, *given = step
    if name == "target":
        head.target = given[0]
        return head.target
    if name == "text":
        return head.text
    if name == "iterate":
        return list(head.fields if isinstance(head, Naive) else head)
    if name == "settle":
        return head.settle() if isinstance(head, Head) else None
    return getattr(head, name)(*given)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(FIELDS, st.sampled_from([b"", b"body", b"\r\n\r\nA: 1\r\n\r\n"]), STEPS)
def test_any_changes_are_those_of_a_list_of_fields(fields: list[tuple[bytes, bytes]], body: bytes,
                                                   steps: list[tuple[Any, ...]]) -> None:
    naive = Naive(b"GET", b"/", list(fields), body)
    head = Head(naive.text)
    for step in steps:
        assert apply(head, step) == apply(naive, step), step
    assert head.text == naive.text
    assert head.text[head.size:] == naive.body
    assert list(head) == naive.fields


@settings(max_examples=200, deadline=None, derandomize=True)
@given(FIELDS, STEPS)
def test_any_changes_of_a_scanned_request(fields: list[tuple[bytes, bytes]], steps: list[tuple[Any, ...]]) -> None:
    lines = [b"%b: %b\r\n" % (name, value) for name, value in fields if name not in (b"Host", b"X_A", b"X.A")]
    head = scanned(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(lines) + b"\r\n")
    naive = Naive(head.method, head.target, list(head), b"")
    assert head.text == naive.text
    for step in steps:
        assert apply(head, step) == apply(naive, step), step
    assert head.text == naive.text


@pytest.mark.parametrize(("lines", "value"), [
    ([b"id=1"], b"1"),
    ([b"a=2; id=1; id=3"], b"1"),
    ([b"a=2", b"b=3;id=1"], b"1"),
    ([b'id="a b"'], b"a b"),
    ([b'id="'], b'"'),
    ([b"id=a=b"], b"a=b"),
    ([b"id="], b""),
    ([b"ID=1; xid=2; id"], None),
    ([b""], None),
    ([], None),
])
def test_cookies(lines: list[bytes], value: bytes | None) -> None:
    head = made(*(b"Cookie: " + line for line in lines))
    assert head.cookie(b"id") == value
    if len(lines) == 1:
        assert cookie_value(lines[0], b"id") == value


@pytest.mark.parametrize(("lines", "rest"), [
    ([b"id=1"], []),
    ([b"id", b"id=2;id=3"], []),
    ([b"a=1; id=2;\tb=3 ;"], [b"a=1; b=3"]),
    ([b"a=1", b"idx=2; id=3", b"b"], [b"a=1; idx=2; b"]),
    ([b";; ;"], []),
    ([b"ID=1"], [b"ID=1"]),
])
def test_a_cookie_goes_and_the_others_stay(lines: list[bytes], rest: list[bytes]) -> None:
    head = made(*(b"Cookie: " + line for line in lines), b"X: 1")
    head.remove_cookie(b"id")
    assert Head(head.text).values(b"cookie") == rest
    assert Head(head.text).values(b"x") == [b"1"]


@pytest.mark.parametrize(("target", "prefix", "out"), [
    (b"/api/x?q", b"/api", b"/x?q"), (b"/api", b"/api", b"/"), (b"/api?q", b"/api", b"/?q"), (b"/api/", b"/api", b"/"),
    (b"/apis", b"/api", None), (b"/ap", b"/api", None), (b"/api/%41", b"/api", None), (b"/a", b"", b"/a"),
    (b"*", b"", None),
])
def test_a_prefix_is_taken_off_a_plain_target(target: bytes, prefix: bytes, out: bytes | None) -> None:
    method = b"OPTIONS" if target == b"*" else b"GET"
    head = scanned(b"%b %b HTTP/1.1\r\nHost: x\r\n\r\n" % (method, target))
    assert head.strip(prefix) is (out is not None)
    assert head.target == (out or target)
    assert head.text.startswith(b"%b %b HTTP/1.1\r\n" % (method, out or target))
    assert not head.strip(b"") or out is None       # it is not plain any more


def test_names_and_lines_are_bytes() -> None:
    for act in (Head.values, Head.last, Head.cookie, Head.remove_cookie, Head.strip,
                lambda head, it: head.change(it, b""), lambda head, it: head.change((), it)):
        with pytest.raises(TypeError):
            act(Head(TEXT), None)  # type: ignore[arg-type]


def test_the_last_field_of_a_text_that_was_never_read() -> None:
    head = made(b"X-A: 1", b"X-AB:2", b"x-a:\t3 ", body=b"X-A: 4\r\n")
    assert head.last(b"x-a") == b"3"
    assert head.last(b"get") is None
    for lines in (b"X-A:\n\r\n", b":\nX-A:\r\n", b"x-a:", b"\n", b"x-a:\r\n\n"):
        text = b"HTTP/1.1 200 x-a:1\r\n" + lines + b"\r\n\r\n"
        assert Head(text).last(b"x-a") in (None, b"")
        assert Head(text).last(b"") in (None, b"")

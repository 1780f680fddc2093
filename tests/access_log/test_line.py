"""Lines of the access log: every column, what clients may send, sampling, and the formats that others read."""

import json
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lbd.access_log.columns import DEFAULT, NAMES
from lbd.access_log.line import LONGEST, LineFormatter
from lbd.stats import endings, scoreboard

HEAD = (b"GET /a?b=1 HTTP/1.1\r\nHost: example.com\r\nUser-Agent:  curl \r\nReferer: http://x/\r\nX-Request-Id: 42\r\n"
        b"X-Tenant: blue\r\nX-Tenant: red\r\n\r\nHost: body\r\n\r\n")


@pytest.fixture
def finished(lane):
    """A request that waited 0.5 s, connected in 0.25 s, got its head 1 s and its end 2 s later."""
    scoreboard.freeze(100.0)
    lane.record.begin(lane.route, lane.backend)
    scoreboard.freeze(100.5)
    lane.record.took(lane.server(0))
    scoreboard.freeze(100.75)
    lane.record.connected()
    scoreboard.freeze(101.75)
    lane.record.head(200)
    scoreboard.freeze(103.75)
    lane.record.finish(endings.OK, 10, 20)
    return lane.record


def lines(form="json", columns=NAMES, sample=1.0) -> LineFormatter:
    made = LineFormatter(form, columns, sample, 7, 4242)
    made.zero = 1_000_000_000.125 - 100.0
    return made


def add(to: LineFormatter, record, head=HEAD, client=b"192.0.2.1", ending=endings.OK, server="a", **more) -> None:
    to.add(record, "web", 2, "app", server, client, head, 1, 10, 20, ending, **more)


def test_every_column(finished):
    log = lines(columns=(*NAMES, "header:X-Tenant"))
    add(log, finished)
    assert json.loads(log.take()) == {
        "time": "2001-09-09T01:46:40.125Z", "listener": "web", "route": 2, "backend": "app", "server": "a",
        "client": "192.0.2.1", "method": "GET", "target": "/a?b=1", "protocol": "HTTP/1.1", "host": "example.com",
        "status": 200, "bytes_in": 10, "bytes_out": 20, "queue": 0.5, "connect": 0.25, "first_byte": 1.75,
        "total": 3.75, "retries": 0, "ending": "ok", "reason": None, "id": "42", "generation": 7, "worker": 4242,
        "referer": "http://x/", "user_agent": "curl", "tls_version": None, "tls_cipher": None, "sni": None,
        "unix": 1000000000.125, "client_port": None, "header:X-Tenant": "blue"}


def test_a_reason_of_any_length_and_a_port(finished):
    log = lines(columns=("reason", "client_port"))
    add(log, finished, reason="a \"name\"\x1b\n\u202e", port=51234)
    add(log, finished, reason="\x01" * 5000, port=0)
    add(log, finished, reason="")
    first, second, third = map(json.loads, log.take().splitlines())
    assert first["reason"].startswith('a "name"\x1b\n')
    assert first["client_port"] == 51234
    assert second == {"reason": "\x01" * LONGEST, "client_port": 0}
    assert third == {"reason": None, "client_port": None}


def test_columns_stand_in_the_order_that_is_asked_for(finished):
    log = lines(columns=("status", "time"))
    add(log, finished)
    assert log.take() == b'{"status":200,"time":"2001-09-09T01:46:40.125Z"}\n'


def test_what_there_was_not_is_null(lane):
    scoreboard.freeze(100.0)
    lane.record.begin(lane.route, None)
    lane.record.finish(endings.NO_SERVER, 0, 0)
    log = lines(columns=DEFAULT)
    log.add(lane.record, "web", -1, "", None, b"", b"", 0, 0, 0, endings.NO_SERVER)
    found = json.loads(log.take())
    absent = {"route", "backend", "server", "client", "method", "target", "protocol", "host", "queue", "connect",
              "first_byte", "id", "reason"}
    assert {name for name, value in found.items() if value is None} == absent
    assert (found["status"], found["total"]) == (0, 0)


def test_retries_count_servers_that_were_given_up_and_do_not_lengthen_the_queue(lane):
    scoreboard.freeze(100.0)
    lane.record.begin(lane.route, lane.backend)
    lane.record.took(lane.server(0))
    scoreboard.freeze(105.0)
    lane.record.dropped(True)
    lane.record.took(lane.server(1))
    lane.record.head(200)
    lane.record.finish(endings.OK, 0, 0)
    log = lines(columns=("queue", "retries", "connect"))
    add(log, lane.record)
    assert json.loads(log.take()) == {"queue": 0, "retries": 1, "connect": None}


def test_nothing_of_a_request_is_left_in_the_line_of_the_next(finished, lane):
    log = lines()
    add(log, finished)
    add(log, finished, head=b"")
    assert json.loads(log.take().splitlines()[1])["host"] is None


def test_what_is_no_request(board):
    log = lines()
    log.refused(100.0, 100.5, "web", b"192.0.2.9", 400, b"", -1, 30, 77, endings.BAD_REQUEST)
    found = json.loads(log.take())
    assert (found["client"], found["status"], found["ending"], found["method"], found["bytes_out"],
            found["bytes_in"], found["total"]) == ("192.0.2.9", 400, "bad-request", None, 77, 30, 0.5)


def test_the_common_format_and_its_combined_fields(finished):
    for form, more in (("common", b""), ("combined", b' "http://x/" "curl"')):
        log = lines(form)
        add(log, finished)
        log.refused(100.0, 100.0, "web", b"", 0, b"", -1, 0, 0, endings.CLIENT_CLOSED)
        asked, refused = log.take().splitlines()
        assert asked == b'192.0.2.1 - - [09/Sep/2001:01:46:40 +0000] "GET /a?b=1 HTTP/1.1" 200 20' + more
        assert refused.startswith(b'- - - [09/Sep/2001:01:46:40 +0000] "-" - 0')


def meant(data: bytes) -> str:
    """Valid UTF-8 as such, any other byte as the character of its number."""
    found = ""
    while data:
        try:
            return found + data.decode()
        except UnicodeDecodeError as error:
            found += data[:error.start].decode() + chr(data[error.start])
            data = data[error.start + 1:]
    return found


def agent_of(value: bytes, form: str = "json") -> bytes:
    """A whole line whose User-Agent is this."""
    record = scoreboard.Record(scoreboard.Board.create(1).row(0, scoreboard.PROCESS, 0))
    log = lines(form, ("user_agent",))
    add(log, record, head=b"GET / HTTP/1.1\r\nUser-Agent: " + value + b"\r\n\r\n")
    return log.take()


@pytest.mark.parametrize("text", ["Café", "\xa0", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "😀", "\U0010ffff"])
def test_utf8_stands_in_json_as_it_is(text):
    assert agent_of(f"a{text}b".encode()) == f'{{"user_agent":"a{text}b"}}\n'.encode()
    assert agent_of(f"a{text}".encode(), "combined").isascii()


@pytest.mark.parametrize(("value", "escaped"), [
    (b"\xe9", r"\u00e9"), (b"\xc0\xaf", r"\u00c0\u00af"), (b"\xe0\x9f\xbf", r"\u00e0\u009f\u00bf"),
    (b"\xed\xa0\x80", r"\u00ed\u00a0\u0080"), (b"\xf0\x8f\xbf\xbf", r"\u00f0\u008f\u00bf\u00bf"),
    (b"\xf4\x90\x80\x80", r"\u00f4\u0090\u0080\u0080"), (b"\xf5", r"\u00f5"), (b"a\xc3", r"a\u00c3"),
    (b"a\xe2\x82", r"a\u00e2\u0082"), (b"\xc3a", r"\u00c3a"),
    ("\x9b31m".encode(), r"\u009b31m"), ("a\u2028b\u202e\u2066\u200f".encode(), r"a\u2028b\u202e\u2066\u200f"),
])
def test_what_is_no_text_is_escaped(value, escaped):
    assert agent_of(value) == f'{{"user_agent":"{escaped}"}}\n'.encode()


@pytest.mark.parametrize("text", ["é", "€", "😀"])
def test_a_value_is_not_cut_within_a_character(text):
    for before in range(LONGEST - 4, LONGEST + 1):
        found = json.loads(agent_of(b"x" * before + text.encode() * 3).decode())["user_agent"]
        assert found == (b"x" * before + text.encode() * 3)[:LONGEST].decode(errors="ignore")


def test_the_client_is_escaped_too(finished):
    for form in ("json", "common"):
        log = lines(form, ("client",))
        add(log, finished, client=b'fe80::1%a\x1b "\n\x9b')
        line = log.take()
        assert line.startswith({"json": rb'{"client":"fe80::1%a\u001b \"\u000a\u009b"}',
                                "common": rb"fe80::1%a\x1b \x22\x0a\x9b - - ["}[form])


SENT = st.binary(max_size=300) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass"))


@settings(max_examples=40)
@given(SENT)
def test_whatever_a_client_sends_is_one_line_and_says_it_all(value):
    require_a_line_of_all(value)


@pytest.mark.parametrize("size", [7, 8, 9, 23])
def test_any_byte_at_any_place_of_a_value(size):
    for place in range(size):
        for byte in (*range(0, 128, 5), *b'\x1f !"\\[]~\x7f\x80\xff'):
            require_a_line_of_all(b"a" * place + bytes([byte]) + b"~" * (size - place - 1))


def test_numbers_of_any_size(finished):
    log = lines(columns=("bytes_in",))
    for power in range(19):
        for number in (10 ** power - 1, 10 ** power, 2**63 - 1):
            log.add(finished, "web", 2, "app", "a", b"192.0.2.1", HEAD, 1, number, 20, endings.OK)
            assert json.loads(log.take()) == {"bytes_in": number}


@pytest.mark.slow
@settings(max_examples=1000)
@given(SENT)
def test_whatever_many_clients_send_is_one_line_and_says_it_all(value):
    require_a_line_of_all(value)


def require_a_line_of_all(value):
    record = scoreboard.Record(scoreboard.Board.create(1).row(0, scoreboard.PROCESS, 0))
    target = bytes(byte for byte in value if byte not in b" \r\n")
    agent = value.replace(b"\n", b"").replace(b"\r", b"").strip(b" \t")
    head = b"GET /" + target + b" HTTP/1.1\r\nUser-Agent: " + agent + b"\r\n\r\n"
    log = lines()
    add(log, record, head=head)
    line = log.take()
    assert line.count(b"\n") == 1
    found = json.loads(line.decode())
    assert found["target"] == "/" + meant(target)
    assert (found["user_agent"] or "") == meant(agent)
    log = lines("combined")
    add(log, record, head=head)
    line = log.take()
    assert re.fullmatch(rb'\S+ - - \[[^]]+\] "[ !#-~]*" \S+ \d+ "-" "[ !#-~]*"\n', line)


@given(st.binary(max_size=200))
def test_a_head_that_is_none_harms_nothing(head):
    record = scoreboard.Record(scoreboard.Board.create(1).row(0, scoreboard.PROCESS, 0))
    log = lines(columns=(*NAMES, "header:A"))
    add(log, record, head=head)
    json.loads(log.take())


def test_a_value_without_end_is_cut(finished):
    log = lines(columns=("target",))
    add(log, finished, head=b"GET /" + b"\0" * 100_000 + b" HTTP/1.1\r\n\r\n")
    assert len(json.loads(log.take())["target"]) == LONGEST


def test_a_sample_leaves_out_only_what_went_well(finished):
    log = lines(sample=0.0)
    add(log, finished)
    assert log.count == 0
    add(log, finished, ending=endings.CLIENT_CLOSED)
    assert log.count == 1
    finished.status = 500
    add(log, finished)
    assert log.count == 2


def test_a_sample_takes_its_share(finished):
    log = lines(columns=("status",), sample=0.25)
    for _ in range(10_000):
        add(log, finished)
    assert 2000 < log.count < 3000


def test_lines_wait_until_they_are_taken(finished):
    log = lines(columns=("status",))
    for _ in range(3):
        add(log, finished)
    assert (log.count, log.size) == (3, 3 * len(b'{"status":200}\n'))
    assert log.take() == b'{"status":200}\n' * 3
    assert (log.count, log.size, log.take()) == (0, 0, b"")


@pytest.mark.parametrize("wrong", [("xml", (), 1.0), ("json", ("size",), 1.0), ("json", (), 2.0)])
def test_what_cannot_be_written_is_refused(wrong):
    with pytest.raises(ValueError, match="no log has"):
        LineFormatter(*wrong, 1, 1)


def test_what_is_put_into_the_head_for_the_log_alone(finished):
    log = lines(columns=("tls_version", "tls_cipher", "sni"))
    head = b"GET / HTTP/1.1\r\n(tls-version): TLSv1.3\r\n(tls-cipher): TLS_X\r\n(sni): a.example.com\r\nHost: a\r\n\r\n"
    add(log, finished, head=head)
    assert json.loads(log.take()) == {"tls_version": "TLSv1.3", "tls_cipher": "TLS_X", "sni": "a.example.com"}


def test_a_batch_has_the_wall_clock_as_it_is_set_when_it_begins(finished, monkeypatch):
    log = LineFormatter("json", ("unix",), 1.0, 7, 4242)
    scoreboard.freeze(200.0)
    monkeypatch.setattr(time, "time", lambda: 5_000.0)
    log.look_at_clock()
    add(log, finished)
    assert log.take() == b'{"unix":4900.000000}\n'
    monkeypatch.setattr(time, "time", lambda: 9_000.0)
    log.look_at_clock()
    add(log, finished)
    assert log.take() == b'{"unix":8900.000000}\n'

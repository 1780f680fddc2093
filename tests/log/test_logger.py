"""The daemon's log: levels, formats, fields, and no secrets."""

import json
import os

import pytest
import structlog

from lbd.log import logger as log


@pytest.fixture
def lines():
    written = []
    yield written
    structlog.reset_defaults()


def test_json_lines(lines):
    log.set_up("info", "json", lines.append, worker=3)
    log.logger.info("started", generation=1)
    log.logger.debug("not written")
    assert len(lines) == 1
    assert lines[0].endswith("\n")
    event = json.loads(lines[0])
    assert event.pop("timestamp")
    assert event == {"event": "started", "level": "info", "worker": 3, "generation": 1}


def test_console_lines(lines):
    log.set_up("warning", "console", lines.append)
    log.logger.info("not written")
    log.logger.warning("server down", server="a")
    assert len(lines) == 1
    assert "server down" in lines[0]
    assert "server=a" in lines[0]
    assert "\x1b" not in lines[0]


def test_control_characters_are_shown_not_obeyed():
    assert log.printable("a\x1b[31mb\n\u202e") == "a\N{REPLACEMENT CHARACTER}[31mb" + 2 * "\N{REPLACEMENT CHARACTER}"


STEERING = "a\x00\x07\x1b[31m\x7f\x85\x9b\u202e\u2066\u2028\nb"   # C0, C1, bidi controls, separators


class Odd:
    def __repr__(self):
        return STEERING


@pytest.mark.parametrize("form", ["console", "color"])
def test_no_text_of_a_peer_steers_the_terminal(lines, form):
    log.set_up("info", form, lines.append)
    log.logger.info("plain", path="x")
    ours = lines.pop().count("\x1b")
    log.logger.warning(STEERING, path=STEERING.replace("\n", ""), names=[STEERING], odd=[Odd()],
                       error=ValueError(STEERING))
    try:
        raise ValueError(STEERING)
    except ValueError:
        log.logger.exception("broken")
    told = "".join(lines)
    assert not {letter for letter in told if not letter.isprintable()} - {"\n", "\x1b"}
    assert lines[0].count("\n") == 1
    assert "ValueError: a\N{REPLACEMENT CHARACTER}" in lines[1]
    assert lines[1].endswith("\nb\n")                     # a traceback keeps its lines
    assert "\x1b[31m\N{REPLACEMENT CHARACTER}" not in told
    if form == "console":
        assert ours == told.count("\x1b") == 0


def test_secrets_are_never_written(lines):
    log.set_up("info", "json", lines.append)
    log.logger.info("asked", Authorization="Bearer abc", token_file="/x", path="/y")
    event = json.loads(lines[0])
    assert event["Authorization"] == event["token_file"] == "(hidden)"
    assert event["path"] == "/y"


def test_an_exception_is_one_json_line(lines):
    log.set_up("info", "json", lines.append)
    try:
        raise ValueError("oh")
    except ValueError:
        log.logger.exception("broken")
    assert len(lines) == 1
    assert "ValueError: oh" in json.loads(lines[0])["exception"]


def test_the_level_can_change(lines):
    log.set_up("error", "json", lines.append)
    log.logger.info("one")
    log.set_up("info", "json", lines.append)
    log.logger.info("two")
    assert [json.loads(line)["event"] for line in lines] == ["two"]


def test_the_form_depends_on_the_terminal():
    reader, writer = os.pipe()
    try:
        assert log.form_for("auto", writer) == log.form_for("json", writer) == "json"
        assert log.form_for("console", writer) == "console"
    finally:
        os.close(reader)
        os.close(writer)
    main, terminal = os.openpty()
    try:
        assert log.form_for("auto", terminal) == log.form_for("console", terminal) == "color"
        assert log.form_for("json", terminal) == "json"
    finally:
        os.close(main)
        os.close(terminal)


def test_events_are_noted_whatever_the_level_of_the_lines(lines):
    noted = []
    log.set_up("error", "json", lines.append, noted.append)
    log.logger.debug("small")
    log.logger.info("state", token="x")
    log.logger.error("broken")
    assert [event["event"] for event in noted] == ["state", "broken"]
    assert noted[0]["token"] == "(hidden)"
    assert len(lines) == 1


def test_ten_tracebacks_a_second_are_written_and_the_next_error_counts_those_left_out(lines, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(log, "_tracebacks", log.Tracebacks(lambda: now[0]))
    log.set_up("info", "json", lines.append)

    def breaks():
        try:
            raise ValueError("oh")
        except ValueError:
            log.logger.exception("broken")

    for _ in range(25):
        breaks()
    assert len(lines) == log.MOST_TRACEBACKS == 10
    log.logger.error("plain")
    log.logger.info("fine")
    assert [json.loads(line)["event"] for line in lines[10:]] == ["plain", "fine"]
    now[0] += 1.0
    log.logger.info("quiet")
    breaks()
    breaks()
    told = [json.loads(line).get("tracebacks_left_out") for line in lines]
    assert told == [None] * 13 + [15, None]

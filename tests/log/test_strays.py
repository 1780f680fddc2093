"""Errors that nothing caught are events of the log."""

import logging
import types

from lbd.log import strays


def unraisable(error, source):
    """The argument of the interpreter's hook."""
    return types.SimpleNamespace(err_msg=None, object=source, exc_type=type(error), exc_value=error, exc_traceback=None)


def test_a_clients_host_name_that_is_no_text_is_no_error_and_all_else_is(monkeypatch):
    said = []
    for level in ("error", "debug"):
        monkeypatch.setattr(strays.logger, level, lambda text, level=level, **_: said.append(level), raising=False)
    name = b"\xff\xfe"
    try:
        name.decode("ascii")
    except UnicodeDecodeError as error:
        strays._unraisable(unraisable(error, name))
        strays._unraisable(unraisable(error, b"another"))
        strays._unraisable(unraisable(error, print))
    strays._unraisable(unraisable(ValueError("oh"), name))
    assert said == ["debug", "error", "error", "error"]


def test_a_callback_that_breaks_and_a_line_of_a_library(monkeypatch):
    said = []
    monkeypatch.setattr(strays.logger, "error", lambda text, **facts: said.append((text, facts)), raising=False)
    error = ValueError("oh")
    strays._in_loop(None, {"message": "it broke", "exception": error, "handle": "h" * 999})
    assert said == [("it broke", {"handle": repr("h" * 999)[:200], "exc_info": error})]
    strays.LibraryHandler().emit(logging.LogRecord("lib", logging.ERROR, "", 1, "n is %d", (3,), None))
    assert said[1] == ("n is 3", {"by": "lib"})

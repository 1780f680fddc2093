"""Errors that nothing caught are events of the log."""

import logging

from lbd.control import strays


def test_a_callback_that_breaks_and_a_line_of_a_library(monkeypatch):
    said = []
    monkeypatch.setattr(strays.logger, "error", lambda text, **facts: said.append((text, facts)), raising=False)
    error = ValueError("oh")
    strays._in_loop(None, {"message": "it broke", "exception": error, "handle": "h" * 999})
    assert said == [("it broke", {"handle": repr("h" * 999)[:200], "exc_info": error})]
    strays.Records().emit(logging.LogRecord("lib", logging.ERROR, "", 1, "n is %d", (3,), None))
    assert said[1] == ("n is 3", {"by": "lib"})

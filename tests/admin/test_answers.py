"""Answers of the admin interface."""

import json

from lbd.admin.answers import answer, refusal
from lbd.errors import ConfigError, LbdError, Problem


def test_json_ends_in_a_newline():
    response = answer({"a": 1})
    assert response.text.endswith("}\n")
    assert response.content_type == "application/json"


def test_problems_are_counted_and_listed():
    problem = Problem("f", 1, 2, "k", "m")
    data = json.loads(refusal(ConfigError([problem, problem]), 422).text)
    assert data["detail"] == "the configuration has 2 errors"
    assert data["problems"][1] == {
        "file": "f", "line": 1, "column": 2, "key": "k", "message": "m", "warning": False}
    assert json.loads(refusal(LbdError("no"), 409).text) == {
        "type": "about:blank", "title": "Conflict", "status": 409, "detail": "no"}

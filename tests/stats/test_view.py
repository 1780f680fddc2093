"""Tests of lbd.stats.view: a view has nothing but what it is given."""

from lbd.stats.view import ProcessView, ServerView, View


def test_what_is_not_given_has_no_series():
    view = View(3)
    assert not any((view.servers, view.listeners, view.backends, view.routes, view.processes, view.daemon))


def test_a_server_is_up_until_it_is_said_otherwise():
    server = ServerView("app", "a", 1)
    assert server.up
    assert server.check_seconds is None


def test_a_process_without_a_lane_is_no_worker():
    assert ProcessView("supervisor").lane is None

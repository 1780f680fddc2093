"""A live request: what is sent, and what is said of the answer."""

import http.server
import threading

import pytest

from lbd.cli import live_request
from lbd.cli.daemon_client import DaemonClient
from lbd.errors import LbdError
from lbd.schema import units as u
from lbd.schema.units import Address

FIELD = ("generation=3; listener=web; route=-; backend=app; server=a; queue=0.1ms; connect=0.2ms; first-byte=3.0ms; "
         "worker=1")


@pytest.fixture
def listener():
    """A listener that is a plain server: gives its port, and keeps what it gets."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self):
            server.heads.append((self.command, self.path, self.headers))
            self.send_response(201)
            self.send_header("Content-Length", "2")
            if server.says:
                self.send_header("X-Lbd-Explain", server.says)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format, *args):
            """Nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.heads, server.says = [], FIELD
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def daemon(fake_daemon, listener):
    fake_daemon.answers["POST", "/v1/explain"] = 201, {"ticket": "0123", "seconds": 30.0}
    fake_daemon.answers["GET", "/v1/status"] = 200, {
        "listeners": {"web": {"bind": [f"0.0.0.0:{listener.server_address[1]}"]}, "none": {"bind": []}}}
    return DaemonClient(u.ADDRESS.parse(fake_daemon.bind))


def test_the_request_brings_a_ticket_and_the_answer_says_the_way(daemon, listener):
    found = live_request.send_live(daemon, "PUT", "http://example.com/x?y=1", ["A: b"], "web")
    [(method, target, headers)] = listener.heads
    assert (method, target, headers["Host"], headers["A"], headers["X-Lbd-Explain"]) == (
        "PUT", "/x?y=1", "example.com", "b", "0123")
    assert (found["status"], found["body_bytes"], found["way"]["server"]) == (201, 2, "a")
    assert 0 <= found["connect_seconds"] <= found["first_byte_seconds"] <= found["total_seconds"]
    text = "\n".join(live_request.describe_response(found))
    for part in ("201 Created, 2 bytes", "server: a", "seen by worker 1: queue 0.1ms, connect 0.2ms, first-byte 3.0ms",
                 "seen from here: connect "):
        assert part in text


def test_a_host_that_is_given_is_sent(daemon, listener):
    live_request.send_live(daemon, "PUT", "http://example.com/", ["host: other"], "web")
    assert listener.heads[0][2].get_all("Host") == ["other"]


def test_an_answer_that_says_nothing(daemon, listener):
    listener.says = ""
    sent = live_request.send_live(daemon, "PUT", "http://x/", [], "web")
    assert "does not say" in live_request.describe_response(sent)[1]


@pytest.mark.parametrize("name", ["none", "other"])
def test_a_listener_without_an_address(daemon, name):
    with pytest.raises(LbdError, match="has no address now"):
        live_request.send_live(daemon, "PUT", "http://x/", [], name)


def test_a_listener_that_nobody_answers_at(daemon, fake_daemon):
    fake_daemon.answers["GET", "/v1/status"] = 200, {"listeners": {"web": {"bind": [f"unix:{fake_daemon.path}.none"]}}}
    with pytest.raises(LbdError, match="no answer from listener web"):
        live_request.send_live(daemon, "PUT", "http://x/", [], "web")


def test_behind_a_daemon_elsewhere_the_listener_is_there_too(daemon, fake_daemon, monkeypatch):
    monkeypatch.setattr(live_request.runtime_changes, "json_object",
                        lambda answer: {"listeners": {"web": {"bind": ["[::]:80"]}}})
    monkeypatch.setattr(DaemonClient, "send_request", lambda self, method, path: None)
    assert live_request.listener_address(DaemonClient(Address("192.0.2.1", 8405)), "web") == Address("192.0.2.1", 80)
    assert live_request.listener_address(DaemonClient(Address(path="/run/x")), "web") == Address("::1", 80)


def test_what_lbd_answered_at_once():
    lines = live_request.describe_response({"address": "x", "status": 302, "reason": "Found", "body_bytes": 0,
                       "way": live_request.way("listener=web; route=0; worker=2; ending=answered"),
                       "connect_seconds": 0.0, "first_byte_seconds": 0.0, "total_seconds": 0.0})
    assert "  ending: answered" in lines
    assert "  seen by worker 2: answered at once" in lines

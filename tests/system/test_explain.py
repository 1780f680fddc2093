"""Explanations of the running daemon agree with what it does."""

from urllib.parse import quote

from lbd_process import Backend, borrowed, until

from lbd.cli.command_line import main
from tests.authority import Authority

CONFIG = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
algorithm = {{ name = "url-hash" }}
[backends.app.servers]
a = "127.0.0.1:{a}"
b = "127.0.0.1:{b}"
"""


def test_the_server_that_is_named_is_the_one_that_answers():
    with Backend("a") as a, Backend("b") as b, borrowed(CONFIG.format(a=a.port, b=b.port)) as lbd:
        for number in range(8):
            url = quote(f"http://127.0.0.1:{lbd.port('web')}/{number}", safe="")
            code, found = lbd.admin("GET", f"/v1/explain?url={url}")
            assert code == 200, found
            assert lbd.get("web", f"/{number}")[1]["server"] == found["chosen"]


def test_events_tell_of_the_start_and_of_a_reload():
    with Backend("a") as a, Backend("b") as b, borrowed(CONFIG.format(a=a.port, b=b.port)) as lbd:
        _, first = lbd.admin("GET", "/v1/events")
        assert "ready" in {event["event"] for event in first["events"]}
        lbd.write(CONFIG.format(a=a.port, b=b.port).replace("url-hash", "random"))
        until(lambda: lbd.admin("GET", f"/v1/events?since={first['last']}")[1]["events"], "the reload is told of")
        _, more = lbd.admin("GET", f"/v1/events?since={first['last']}")
        assert all(event["number"] > first["last"] for event in more["events"])


def test_a_live_request_shows_the_way_it_took(capsys):
    with Backend("a") as a, Backend("b") as b, borrowed(CONFIG.format(a=a.port, b=b.port)) as lbd:
        for number in range(4):
            url = f"http://127.0.0.1:{lbd.port('web')}/{number}"
            assert main(["explain", "GET", url, "--live", "--admin", f"unix:{lbd.path}/admin.sock"]) == 0
            said = capsys.readouterr().out
            server = lbd.get("web", f"/{number}")[1]["server"]
            assert f"\nserver {server}: url-hash picks it" in said
            assert f"\n  server: {server}\n" in said
            assert "200 OK" in said
            assert "first-byte" in said


def test_a_live_request_over_tls(tmp_path, capsys):
    file = Authority(tmp_path).issue("a.pem", "a.example.com")
    with Backend("a") as a, Backend("b") as b:
        config = CONFIG.format(a=a.port, b=b.port).replace(
            'backend = "app"', f'backend = "app"\ntls = {{ certificates = "{file}" }}')
        with borrowed(config) as lbd:
            url = f"https://a.example.com:{lbd.port('web')}/1"
            assert main(["explain", url, "--live", "--admin", f"unix:{lbd.path}/admin.sock"]) == 0
            said = capsys.readouterr().out
            assert "200 OK" in said
            assert "\n  listener: web\n" in said
            assert "X-Forwarded-Proto: https" in said

"""Spans of a running daemon: exported over OTLP, switched on and off by a reload; no harm when nobody takes them."""

import http.client

from collector import Collector, attributes
from lbd_process import Backend, Lbd, borrowed, until

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CONFIG = """
[tracing]
enabled = {enabled}
endpoint = "{url}"
service = "edge"
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app.servers]
a = "127.0.0.1:{port}"
"""


def ask(lbd: Lbd, path: str, **fields: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", lbd.port("web"), timeout=20)
    try:
        connection.request("GET", path, headers=fields)
        return connection.getresponse().status
    finally:
        connection.close()


def reloaded(lbd: Lbd, text: str) -> None:
    lbd.write(text)
    code, data = lbd.admin("POST", "/v1/reload")
    assert code == 200, data


def loaded(pid: int) -> bool:
    """Whether a process has anything of OpenTelemetry in its memory."""
    with open(f"/proc/{pid}/maps") as maps:
        return any("/google/_upb/" in line for line in maps)


def test_spans_come_while_tracing_is_on():
    with Collector() as collector, Backend("a") as server:
        on, off = (CONFIG.format(enabled=word, url=collector.url, port=server.port) for word in ("true", "false"))
        with Lbd(off) as lbd:
            assert ask(lbd, "/before") == 200
            assert not any(loaded(pid) for pid in (lbd.pid, *lbd.workers()))
            reloaded(lbd, on)
            for number in range(20):
                assert ask(lbd, f"/on?{number}", traceparent=f"00-{TRACE}-{PARENT}-01") == 200
            assert ask(lbd, "/alone") == 200
            until(lambda: len(collector.spans) == 21, "every span is exported")
            assert loaded(lbd.pid)
            assert not any(map(loaded, lbd.workers()))
            reloaded(lbd, off)
            assert ask(lbd, "/after") == 200
            assert lbd.stop() == 0
    assert all(resource["service.name"] == "edge" for resource in collector.resources)
    followed = [span for span in collector.spans if span.trace_id.hex() == TRACE]
    assert len({span.span_id for span in followed}) == 20
    assert all(span.parent_span_id.hex() == PARENT for span in followed)
    assert all(0 < span.end_time_unix_nano - span.start_time_unix_nano < 10 * 10**9 for span in collector.spans)
    alone, = (span for span in collector.spans if span.trace_id.hex() != TRACE)
    said = attributes(alone)
    assert (alone.parent_span_id, said["url.path"], said["http.response.status_code"]) == (b"", "/alone", 200)
    assert (said["lbd.backend"], said["lbd.server"], said["lbd.ending"]) == ("app", "a", "ok")


def test_a_collector_that_refuses_costs_spans_and_nothing_else():
    with Collector() as collector, Backend("a") as server:
        collector.broken = True
        with borrowed(CONFIG.format(enabled="true", url=collector.url, port=server.port)) as lbd:
            assert [ask(lbd, "/lost") for _ in range(5)] == [200] * 5
            until(lambda: "lbd_spans_lost_total 5\n" in lbd.metrics(), "they are counted")
            reason = until(lambda: lbd.logged("spans cannot be written, lines are lost"), "it is said")[0]
            assert "400" in reason["reason"]
            collector.broken = False
            assert ask(lbd, "/taken") == 200
            until(lambda: collector.spans, "the collector takes them again")
            assert collector.url not in lbd.metrics()

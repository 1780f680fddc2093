"""Bodies through curl and messages through a WebSocket client: what arrives is what was sent, however it is framed."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys

import pytest
from lbd_process import ROOT, Lbd, borrowed, free_port, until
from origin import PATTERN, Origin, digest
from websockets.sync.client import connect

SIZE = 20_000_003   # bytes; no multiple of anything
TEXT = """
[listeners.web]
bind = ["127.0.0.1:$web", "unix:%s"]
backend = "app"
[backends.app]
servers = { a = "127.0.0.1:%d" }
"""

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@pytest.fixture(scope="module")
def lbd(tmp_path_factory):
    path = tmp_path_factory.mktemp("sockets") / "web.sock"
    with Origin("a") as origin, Lbd(TEXT % (path, origin.port)) as daemon:
        daemon.unix = str(path)
        yield daemon


@pytest.fixture(scope="module")
def upload(tmp_path_factory):
    file = tmp_path_factory.mktemp("bodies") / "upload"
    file.write_bytes((PATTERN * (SIZE // len(PATTERN) + 1))[:SIZE])
    return file


def curl(lbd, path, *words):
    """The body that curl got."""
    done = subprocess.run(["curl", "--silent", "--show-error", "--fail", "--max-time", "60", *words,
                           f"http://127.0.0.1:{lbd.port('web')}{path}"], capture_output=True, timeout=70)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@needs_curl
@pytest.mark.parametrize("words", [
    (), ("--http1.0",), ("--http1.0", "--header", "Connection: keep-alive"), ("--header", "Connection: close"),
], ids=["1.1", "1.0", "1.0 kept", "closed"])
@pytest.mark.parametrize("framing", ["", "&chunked=1"], ids=["length", "chunked"])
def test_a_download_arrives_whole(lbd, words, framing):
    if framing and "--http1.0" in words:
        framing = ""   # the origin has no chunks for HTTP/1.0; it would be the same test
    assert sha256(curl(lbd, f"/bytes?n={SIZE}{framing}", *words)) == digest(SIZE)


@needs_curl
def test_a_download_over_a_unix_socket(lbd):
    assert sha256(curl(lbd, f"/bytes?n={SIZE}", "--unix-socket", lbd.unix)) == digest(SIZE)


@needs_curl
def test_a_part_of_a_download(lbd):
    whole = (PATTERN * (SIZE // len(PATTERN) + 1))[:SIZE]
    assert curl(lbd, f"/bytes?n={SIZE}", "--range", "1000001-9000000") == whole[1000001:9000001]


@needs_curl
@pytest.mark.parametrize(("words", "sent"), [
    ((), {"content-length": str(SIZE)}),
    (("--header", "Transfer-Encoding: chunked"), {"transfer-encoding": "chunked"}),
    (("--header", "Expect: 100-continue", "--expect100-timeout", "70"), {"content-length": str(SIZE)}),
    (("--header", "Expect:"), {"content-length": str(SIZE)}),
    (("--http1.0",), {"content-length": str(SIZE)}),
], ids=["length", "chunked", "expect", "no expect", "1.0"])
def test_an_upload_arrives_whole(lbd, upload, words, sent):
    told = json.loads(curl(lbd, "/digest", "--upload-file", str(upload), *words))
    assert (told["size"], told["sha256"]) == (SIZE, digest(SIZE))
    assert sent.items() <= told["headers"].items()


@needs_curl
def test_many_requests_over_one_connection(lbd):
    target = f"http://127.0.0.1:{lbd.port('web')}/bytes?n=100000&[1-50]"
    done = subprocess.run(["curl", "--silent", "--fail", "--max-time", "60", "--write-out", "%{num_connects}\n",
                           "--output", "/dev/null", target], capture_output=True, timeout=70)
    assert done.stdout.split() == [b"1", *[b"0"] * 49]


@pytest.fixture
def demo_server():
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "lbd", "demo-server", "--port", str(port)], cwd=ROOT,
                               env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


def test_a_websocket_echoes_and_outlives_others(demo_server, tmp_path):
    with borrowed(TEXT % (tmp_path / "web.sock", demo_server)) as lbd, contextlib.ExitStack() as stack:
        until(lambda: lbd.get("web")[0] == 200, "the server answers")
        sockets = [stack.enter_context(connect(f"ws://127.0.0.1:{lbd.port('web')}/ws")) for _ in range(10)]
        for number, ws in enumerate(sockets):
            for message in (f"text {number}", os.urandom(125), os.urandom(70_000), PATTERN * 8):
                ws.send(message)
                assert ws.recv(timeout=20) == message
        sockets[0].close()
        sockets[1].send("still here")
        assert sockets[1].recv(timeout=20) == "still here"
        assert sockets[1].ping().wait(20)
        until(lambda: lbd.status()["backends"]["app"]["requests_in_flight"] == 9, "nine are open")

"""A worker's memory barely grows with long bodies, slow readers and thousands of idle clients."""

import resource
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
from lbd_process import Lbd, until
from load import answer, ask, connect
from origin import Origin

MB, GB = 10**6, 10**9
MOST = 80 * 10**6          # bytes of a worker at its worst
PER_CLIENT = 4 * 1024      # bytes for an idle client
TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
servers = { a = "127.0.0.1:%d" }
"""

sizes = pytest.mark.parametrize("size", [200 * MB, pytest.param(5 * GB, marks=pytest.mark.slow)],
                                ids=["200 MB", "5 GB"])      # far more than `MOST`, and more than 32 bits count
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@pytest.fixture(scope="module")
def lbd():
    with Origin("a") as origin, Lbd(TEXT % origin.port, executed=True) as daemon:
        yield daemon


def bytes_of(pid, figure):
    """`VmHWM` (the peak) or `VmRSS` of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(figure + ":"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no {figure}")


def peak(lbd):
    return max(bytes_of(pid, "VmHWM") for pid in lbd.workers())


def curl(lbd, path, *words):
    return subprocess.run(["curl", "--silent", "--show-error", "--fail", *words,
                           f"http://127.0.0.1:{lbd.port('web')}{path}"], stdout=subprocess.PIPE, check=True).stdout


@needs_curl
@sizes
def test_a_long_download(lbd, size):
    got = curl(lbd, f"/bytes?n={size}", "--output", "/dev/null", "--write-out", "%{size_download}")
    assert int(got) == size
    assert peak(lbd) < MOST


@needs_curl
@sizes
def test_a_long_upload(lbd, size, tmp_path):
    with open(tmp_path / "zeros", "wb") as file:
        file.truncate(size)
    assert int(curl(lbd, "/count", "--upload-file", str(tmp_path / "zeros"))) == size
    assert peak(lbd) < MOST


@pytest.mark.slow
def test_slow_readers(lbd):
    with ExitStack() as stack:
        socks = [stack.enter_context(connect(lbd.port("web"), buffer=16384)) for _ in range(200)]
        for sock in socks:
            ask(sock, "/bytes?n=50000000")
        for _ in range(5):
            for sock in socks:
                assert sock.recv(1000)
        assert lbd.status()["backends"]["app"]["requests_in_flight"] == 200
        assert peak(lbd) < MOST
    until(lambda: lbd.status()["backends"]["app"]["requests_in_flight"] == 0, "their requests are given up")


@pytest.fixture
def descriptors():
    """Room for thousands of sockets in this process; skips where there is none."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 8000:
        pytest.skip("too few descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 8000), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.slow
def test_thousands_of_idle_clients(descriptors):
    with Origin("a") as origin, Lbd(TEXT % origin.port, workers=1, executed=True) as lbd, ExitStack() as stack:
        def enter(number):
            for _ in range(number):
                sock = stack.enter_context(connect(lbd.port("web")))
                ask(sock)
                assert answer(sock)[0] == 200
            return bytes_of(lbd.workers()[0], "VmRSS")

        before = enter(500)
        after = enter(5000)
        assert lbd.status()["listeners"]["web"]["connections"] == 5500
        assert (after - before) / 5000 <= PER_CLIENT

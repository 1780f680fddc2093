"""The description of the admin interface, held against the real daemon by schemathesis."""

import importlib.util
import subprocess
import sys

import pytest
from lbd_process import Backend, Lbd, free_port

TOKEN = "0123456789abcdef-of-an-operator"
TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
registration = { networks = ["127.0.0.0/8"] }
[backends.app.servers]
"""

# A pattern cannot say how long a duration may be; a server that is taken away drains before it is gone.
NOT_HELD = "positive_data_acceptance,use_after_free"
DETERMINISTIC = ("--phases", "examples,coverage", "--generation-deterministic")
EVERYTHING = ("--max-time", "30", "--generation-database", "none")


@pytest.mark.slow
@pytest.mark.parametrize("words", [DETERMINISTIC, pytest.param(EVERYTHING, marks=pytest.mark.timeout(300))])
def test_it_does_what_it_says(tmp_path, words):
    if importlib.util.find_spec("schemathesis") is None:
        pytest.skip("schemathesis is missing")
    (tmp_path / "schemathesis.toml").write_text('[parameters]\n"path.backend" = "app"\n')   # the others are not there
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    port = free_port()
    admin = f'bind = "127.0.0.1:{port}"\ntoken_file = "{tmp_path}/token"'
    with Backend("a") as a, Lbd(TEXT + f'a = "127.0.0.1:{a.port}"\n', admin=admin) as lbd:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"http://127.0.0.1:{port}/v1/openapi.json",
                   "--header", f"Authorization: Bearer {TOKEN}", "--checks", "all", "--exclude-checks", NOT_HELD,
                   "--exclude-operation-id", "post_v1_upgrade",   # the process would be another one each time
                   "--continue-on-failure", "--no-color", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-10_000:] + done.stderr[-2000:]
        assert "No test cases" not in done.stdout
        assert not lbd.logged("admin request failed")
        assert lbd.get("web")[0] in (200, 503)   # whatever was wished for, it serves

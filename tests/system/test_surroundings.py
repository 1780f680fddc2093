"""The daemon where the kernel or a container refuses what it has elsewhere."""

import subprocess
from pathlib import Path

import pytest

from tests.system.lbd_process import Lbd, until

TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app.servers]
a = "127.0.0.1:$a"
"""


def namespaces(*options, script):
    """A command prefix that runs lbd in new namespaces, behind a line of shell; skips where that is not permitted."""
    prefix = ["unshare", *options, "sh", "-c", script + ' && exec "$@"', "sh"]
    try:
        done = subprocess.run([*prefix, "true"], capture_output=True, text=True, timeout=20)
    except OSError:
        pytest.skip("no unshare")
    if done.returncode:
        pytest.skip(f"namespaces are not permitted here: {done.stderr.strip()}")
    return prefix


@pytest.mark.parametrize("limit", ["max_inotify_instances", "max_inotify_watches"])
def test_without_inotify_files_are_polled(limit):
    prefix = namespaces("-Ur", script=f"echo 0 > /proc/sys/user/{limit}")
    with Lbd(TEXT, workers=1, prefix=prefix) as lbd:
        lbd.write(TEXT.replace("a =", "other ="))
        until(lambda: "other" in lbd.status()["backends"]["app"]["servers"], "the edit in force")
        if limit == "max_inotify_instances":
            assert lbd.status()["watch"].startswith("polling")
            assert lbd.log().count("no events of files") == 1


def test_pid_1_reaps_what_is_left_to_it():
    prefix = namespaces("--pid", "--fork", "--mount-proc", "--kill-child", script="true")
    check = TEXT.replace("[backends.app.servers]", """[backends.app]
health = { type = "exec", interval = "100ms", command = ["/bin/sh", "-c", "setsid sh -c 'sleep 0.1' & exit 0"] }
[backends.app.servers]""")
    with Lbd(check, workers=1, prefix=prefix) as lbd:
        inside = int(Path(f"/proc/{lbd.pid}/task/{lbd.pid}/children").read_text().split()[0])

        def children():
            pids = Path(f"/proc/{inside}/task/{inside}/children").read_text().split()
            texts = [Path(f"/proc/{pid}/status") for pid in pids]
            return [text.read_text() for text in texts if text.exists()]

        until(lambda: any("(zombie)" in text for text in children()), "an orphan that ended")
        for _ in range(2):
            until(lambda: not any("(zombie)" in text for text in children()), "it is reaped")
        assert lbd.status()["backends"]["app"]["servers"]["a"]["health"] == "up"
        assert "worker ended" not in lbd.log()

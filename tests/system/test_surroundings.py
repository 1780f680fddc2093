"""The daemon where the kernel or a container refuses what it has elsewhere."""

import os
import shutil
import signal
import subprocess

import pytest

from tests.authority import Authority
from tests.children import below, status
from tests.namespaces import unshared
from tests.system.lbd_process import Lbd, until
from tests.system.namespace import namespace

TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app.servers]
a = "127.0.0.1:$a"
"""


@pytest.mark.parametrize("limit", ["max_inotify_instances", "max_inotify_watches"])
def test_without_inotify_files_are_polled(limit):
    with namespace() as net:
        subprocess.run([*net.prefix, "sh", "-c", f"echo 0 > /proc/sys/user/{limit}"], check=True)
        with Lbd(TEXT, workers=1, prefix=net.prefix, namespaces=net.pid) as lbd:
            lbd.write(TEXT.replace("a =", "other ="))
            until(lambda: "other" in lbd.status()["backends"]["app"]["servers"], "the edit in force")
            if limit == "max_inotify_instances":
                assert lbd.status()["watch"].startswith("polling")
                until(lambda: lbd.log().count("no events of files") == 1, "the log says so once")


def test_pid_1_reaps_what_is_left_to_it():
    prefix = unshared("--pid", "--fork", "--mount-proc", "--kill-child")
    check = TEXT.replace("[backends.app.servers]", """[backends.app]
health = { type = "exec", interval = "100ms", command = ["/bin/sh", "-c", "setsid sh -c 'sleep 0.1' & exit 0"] }
[backends.app.servers]""")
    with Lbd(check, workers=1, prefix=prefix) as lbd:
        inside, = below(lbd.pid)

        def zombies():
            return {pid for pid in below(inside) if "(zombie)" in status(pid)}

        for _ in range(2):
            ended = until(zombies, "an orphan that ended")
            until(lambda ended=ended: not ended & zombies(), "it is reaped")
        assert lbd.status()["backends"]["app"]["servers"]["a"]["health"] == "up"
        assert "worker ended" not in lbd.log()
        os.kill(inside, signal.SIGTERM)     # unshare(1) passes no signal on
        assert lbd.wait() == 0


# Preloaded, it refuses the one file in memory that the environment names, as a sandbox refuses all of them.
REFUSAL = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
int memfd_create(const char *name, unsigned int flags) {
    const char *refused = getenv("REFUSED_MEMFD");
    if (refused && !strcmp(name, refused)) { errno = EPERM; return -1; }
    return syscall(SYS_memfd_create, name, flags);
}
"""
SANDBOX = ("memfd_create: Operation not permitted: lbd needs files in memory; the sandbox (seccomp, SystemCallFilter=) "
           "must allow it")


@pytest.fixture
def refusing(tmp_path):
    """The environment of a daemon that may have no file in memory of that name."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler")
    library = tmp_path / "refusal.so"
    made = subprocess.run([compiler, "-shared", "-fPIC", "-x", "c", "-", "-o", library], input=REFUSAL, text=True,
                          capture_output=True, timeout=60)
    if made.returncode:
        pytest.skip(f"the C compiler makes no library: {made.stderr.strip()}")
    preloaded = " ".join(filter(None, [str(library), os.environ.get("LD_PRELOAD", "")]))
    return lambda name: {"LD_PRELOAD": preloaded, "REFUSED_MEMFD": name}


@pytest.mark.parametrize("name", ["lbd-scoreboard", "certificate"])
def test_a_start_without_files_in_memory_names_the_call_and_the_sandbox(refusing, tmp_path, name):
    key = Authority(tmp_path).issue("site.pem", "site.test")
    text = f'{TEXT}\n[listeners.web.tls]\ncertificates = "{key}"\n'
    lbd = Lbd(text, environment=refusing(name))
    try:
        lbd.start(wait=False)
        assert lbd.wait() == 1
        assert lbd.log().count(SANDBOX) == 1
        assert "Traceback" not in lbd.log()
    finally:
        lbd.close()


def test_an_upgrade_without_files_in_memory_leaves_this_version_serving(refusing):
    with Lbd(TEXT, environment=refusing("lbd-handover")) as lbd:
        assert lbd.admin("POST", "/v1/upgrade")[0] == 202
        until(lambda: lbd.logged("upgrade failed; this version serves on"), "it says why")
        assert lbd.log().count(SANDBOX) == 1
        assert "Traceback" not in lbd.log()
        assert lbd.status()["upgrades"] == 0
        assert len(lbd.workers()) == 2
        assert lbd.stop() == 0

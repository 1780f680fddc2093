"""How many processors there are for lbd, by affinity and by quotas as the kernel's files give them."""

import os

import pytest

from lbd.process import processors

V2 = "35 24 0:30 {root} {place} rw,nosuid - cgroup2 cgroup2 rw\n"
V1 = "36 24 0:31 {root} {place} rw - cgroup cgroup rw,cpu,cpuacct\n"
OTHER = ("22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
         "37 24 0:32 / /sys/fs/cgroup/memory rw - cgroup c memory\n")


@pytest.fixture
def sixteen(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)))


def tree(tmp_path, cgroup, mount, files, root="/"):
    """A /proc/self, and the files of control groups below a place with a space in its name."""
    place = tmp_path / "control groups"
    for name, text in files.items():
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (tmp_path / "cgroup").write_text(cgroup)
    (tmp_path / "mountinfo").write_text(OTHER + mount.format(root=root, place=str(place).replace(" ", "\\040")))
    return tmp_path


@pytest.mark.parametrize(("files", "count"), [
    ({"a/b/cpu.max": "max 100000\n"}, 16),
    ({"a/b/cpu.max": "50000 100000\n"}, 1),
    ({"a/b/cpu.max": "150000 100000\n"}, 2),
    ({"a/b/cpu.max": "400000 100000\n", "a/cpu.max": "max 100000\n"}, 4),
    ({"a/b/cpu.max": "max 100000\n", "a/cpu.max": "300000 100000\n"}, 3),        # of a group above
    ({"a/b/cpu.max": "400000 100000\n", "a/cpu.max": "100000 50000\n"}, 2),
    ({"a/b/cpu.max": "9900000 100000\n"}, 16),
    ({"a/b/cpu.max": "nonsense"}, 16),
    ({"a/b/cpu.max": "1000 0\n"}, 16),
    ({}, 16),
])
def test_version_2(tmp_path, sixteen, files, count):
    assert processors.usable(tree(tmp_path, "0::/a/b\n", V2, files)) == count


@pytest.mark.parametrize(("quota", "period", "count"), [
    ("-1\n", "100000\n", 16),
    ("50000\n", "100000\n", 1),
    ("250000\n", "100000\n", 3),
])
def test_version_1(tmp_path, sixteen, quota, period, count):
    files = {"a/cpu.cfs_quota_us": quota, "a/cpu.cfs_period_us": period}
    lines = "12:memory:/elsewhere\n3:cpu,cpuacct:/a/b\n1:name=systemd:/a\n0::/\n"
    assert processors.usable(tree(tmp_path, lines, V1, files)) == count


@pytest.mark.parametrize(("group", "root"), [
    ("/docker/1", "/docker/1"),     # the group of the host, mounted as the container's root
    ("/", "/"),                     # a namespace of control groups
    ("/../other", "/"),
    ("/elsewhere", "/docker/1"),
])
def test_a_container_sees_its_own_group_at_the_top(tmp_path, sixteen, group, root):
    assert processors.usable(tree(tmp_path, f"0::{group}\n", V2, {"cpu.max": "200000 100000\n"}, root)) == 2


def test_names_of_mounts_need_not_be_text(tmp_path, sixteen):
    proc = tree(tmp_path, "0::/\n", V2, {"cpu.max": "200000 100000\n"})
    mounts = proc / "mountinfo"
    mounts.write_bytes(b"23 1 8:2 / /mnt/caf\xe9 rw - ext4 /dev/sdb1 rw\n" + mounts.read_bytes())
    assert processors.usable(proc) == 2


def test_without_control_groups_affinity_alone_counts(tmp_path, sixteen):
    assert processors.usable(tmp_path) == 16

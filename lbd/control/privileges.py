"""Dropping root after binding, keeping only the right to bind ports below 1024 (capabilities(7))."""

import ctypes
import grp
import os
import pwd
import struct

from lbd.errors import LbdError

_PR_SET_KEEPCAPS = 8
_NET_BIND_SERVICE = 10
_VERSION_3 = 0x20080522


def identity(user: str | None, group: str | None) -> tuple[int, int] | None:
    """The numbers of `[global] user` and `group`; None when neither is set. Raises `LbdError`."""
    if user is None and group is None:
        return None
    if os.geteuid() != 0:
        raise LbdError("global.user: only root can become another user; start lbd as root or leave user and group out")
    try:
        entry = pwd.getpwnam(user) if user is not None else pwd.getpwuid(os.geteuid())
    except KeyError:
        raise LbdError(f"global.user: this machine has no user {user!r}") from None
    try:
        gid = entry.pw_gid if group is None else grp.getgrnam(group).gr_gid
    except KeyError:
        raise LbdError(f"global.group: this machine has no group {group!r}") from None
    return entry.pw_uid, gid


def drop(user: str | None, uid: int, gid: int) -> None:
    """Become this user for good, with CAP_NET_BIND_SERVICE and nothing else. Must run before any thread exists."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0:
        raise LbdError(f"cannot keep capabilities: {os.strerror(ctypes.get_errno())}")
    if user is not None:
        os.initgroups(user, gid)
    else:
        os.setgroups([gid])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    bit = 1 << _NET_BIND_SERVICE
    head = ctypes.create_string_buffer(struct.pack("=Ii", _VERSION_3, 0))
    data = ctypes.create_string_buffer(struct.pack("=6I", bit, bit, 0, 0, 0, 0))
    if libc.capset(head, data) != 0:
        raise LbdError(f"cannot keep the right to bind low ports: {os.strerror(ctypes.get_errno())}")

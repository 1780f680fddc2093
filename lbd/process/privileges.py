"""The privileges of the daemon: root is dropped after binding, but for the right to bind ports below 1024
(capabilities(7))."""

import ctypes
import grp
import os
import pwd
import struct

from lbd.errors import LbdError

Rights = tuple[list[int], list[int], list[int]]   # user ids and group ids, real, effective and saved, and groups

_PR_SET_DUMPABLE = 4
_PR_SET_KEEPCAPS = 8
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_AMBIENT_RAISE = 2
_AMBIENT_CLEAR_ALL = 4
_NET_BIND_SERVICE = 10
_VERSION_3 = 0x20080522


def identity(user: str | None, group: str | None) -> tuple[int, int] | None:
    """The numbers of `[global] user` and `group` to become; None when neither is set, or when this process is both
    already, as after an upgrade. Raises `LbdError`."""
    if user is None and group is None:
        return None
    try:
        entry = pwd.getpwnam(user) if user is not None else pwd.getpwuid(os.geteuid())
    except KeyError:
        raise LbdError(f"global.user: this machine has no user {user!r}") from None
    try:
        gid = entry.pw_gid if group is None else grp.getgrnam(group).gr_gid
    except KeyError:
        raise LbdError(f"global.group: this machine has no group {group!r}") from None
    if os.geteuid() == 0:
        return entry.pw_uid, gid
    if (os.geteuid(), os.getegid()) == (entry.pw_uid, gid):
        return None
    raise LbdError("global.user: only root can become another user; start lbd as root or leave user and group out")


def drop(user: str | None, uid: int, gid: int) -> None:
    """Become this user for good, with CAP_NET_BIND_SERVICE and nothing else, and gain no right by a program with a
    set-user-ID bit or capabilities, nor will what this process starts (PR_SET_NO_NEW_PRIVS(2const)). Must run before
    any thread exists."""
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
    if not _put(libc, bit, 0):
        raise LbdError(f"cannot keep the right to bind low ports: {os.strerror(ctypes.get_errno())}")
    # Rights that are ambient outlive it, and with them an upgrade in place.
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise LbdError(f"cannot forbid to gain privileges: {os.strerror(ctypes.get_errno())}")


def keep_over_exec() -> None:
    """Let the next image of this process do what this one may; root may everything anyway."""
    if os.geteuid() == 0:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    data = ctypes.create_string_buffer(24)
    if libc.capget(_head(), data) == 0:
        _, low, _, _, high, _ = struct.unpack("=6I", data.raw)
        permitted = low | high << 32
        _put(libc, permitted, permitted)   # a right can be ambient only if it is inheritable too
        for number in range(permitted.bit_length()):
            if permitted >> number & 1:
                libc.prctl(_PR_CAP_AMBIENT, _AMBIENT_RAISE, number, 0, 0)


def keep_from_children() -> None:
    """Keep the rights of this process from the processes that it starts (workers, checks)."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL, 0, 0, 0)


def rights() -> Rights:
    """The user and the groups of this process."""
    return list(os.getresuid()), list(os.getresgid()), os.getgroups()


def adopt(wanted: Rights) -> None:
    """Become this user with these groups for good, as `drop` made another process. Raises `OSError`."""
    users, groups, more = wanted
    os.setgroups(more)
    os.setresgid(*groups)
    os.setresuid(*users)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def give_up() -> None:
    """Leave this process what an exec would leave it: no capabilities unless it is root's, and its files in /proc."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0:
        _put(libc, 0, 0)
    libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)


def _put(libc: ctypes.CDLL, rights: int, inheritable: int) -> bool:
    """Set the capabilities of this process, effective and permitted, to exactly these; returns whether it may."""
    low, high = 0xFFFFFFFF, 32
    data = struct.pack("=6I", rights & low, rights & low, inheritable & low,
                       rights >> high, rights >> high, inheritable >> high)
    return int(libc.capset(_head(), ctypes.create_string_buffer(data))) == 0


def _head() -> ctypes.Array[ctypes.c_char]:
    return ctypes.create_string_buffer(struct.pack("=Ii", _VERSION_3, 0))

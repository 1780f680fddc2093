"""The file of a Unix socket: its mode, owner and group, as a listener asks for them and as the system has them."""

import grp
import os
import pwd
import stat
from dataclasses import dataclass, replace

from lbd.errors import LbdError
from lbd.schema import ListenerConfig


@dataclass(frozen=True, slots=True)
class Permissions:
    """Mode bits, and the numbers of owner and group; -1 where none is wanted."""

    mode: int
    uid: int = -1
    gid: int = -1

    def apply(self, path: str, key: str) -> None:
        """Apply the permissions to the file at the path; `key` names the listener in errors. Raises `LbdError`."""
        try:
            now = permissions_of(path)
            if self.or_else(now.uid, now.gid) != replace(now, mode=self.mode):
                os.chown(path, self.uid, self.gid, follow_symlinks=False)
            if now.mode != self.mode:
                os.chmod(path, self.mode)
        except OSError as error:
            raise LbdError(f"{key}: {path} cannot be given to that user or group: {error.strerror}; lbd must be in the "
                           "group, or (for another user) start as root") from None

    @property
    def own(self) -> bool:
        """Whether neither an owner nor a group is wanted."""
        return (self.uid, self.gid) == (-1, -1)

    def or_else(self, uid: int, gid: int) -> "Permissions":
        """The same permissions, with this owner and group where none is wanted."""
        return Permissions(self.mode, uid if self.uid == -1 else self.uid, gid if self.gid == -1 else self.gid)


def permissions_of(path: str) -> Permissions:
    """The permissions that the file has; raises `OSError`."""
    about = os.lstat(path)
    return Permissions(stat.S_IMODE(about.st_mode), about.st_uid, about.st_gid)


def wanted_permissions(name: str, listener: ListenerConfig) -> Permissions:
    """The permissions that the listener of that name asks for; raises `LbdError` for a user or group that does not
    exist."""
    uid = gid = -1
    try:
        if listener.unix_user is not None:
            uid = pwd.getpwnam(listener.unix_user).pw_uid
    except KeyError:
        raise LbdError(f"listeners.{name}.unix_user: this machine has no user {listener.unix_user!r}") from None
    try:
        if listener.unix_group is not None:
            gid = grp.getgrnam(listener.unix_group).gr_gid
    except KeyError:
        raise LbdError(f"listeners.{name}.unix_group: this machine has no group {listener.unix_group!r}") from None
    return Permissions(listener.unix_mode, uid, gid)


def default_owner(path: str) -> tuple[int, int]:
    """Owner and group of a file that this process makes there (a directory with set-group-ID gives its own)."""
    about = os.stat(os.path.dirname(path) or ".")
    return os.geteuid(), about.st_gid if about.st_mode & stat.S_ISGID else os.getegid()

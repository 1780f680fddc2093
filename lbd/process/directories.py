"""Directories that lbd may make for itself, and their substitutes where it may not make the default ones."""

import contextlib
import os
import stat
from collections.abc import Mapping

from lbd.errors import LbdError
from lbd.log.logger import logger
from lbd.schema import Global
from lbd.schema.units import OFF

PRIVATE = 0o700


def private(path: str, key: str, default: str, variable: str, environment: Mapping[str, str] = os.environ) -> str:
    """A directory that exists and can be written, made with mode 0700 if need be; `key` is named in errors.

    Where the *default* cannot be had, `lbd` in the directory that the environment variable names serves instead, with
    one line of log. Raises `LbdError`.
    """
    reason = _make(path)
    if not reason:
        return path
    base = environment.get(variable, "")
    if path == default and base:
        other = os.path.join(base, "lbd")
        if not _make(other):
            logger.info("directory cannot be used; another serves", directory=path, reason=reason, instead=other)
            return other
    hint = "" if path != default else f"; set {key}, or {variable} in the environment"
    raise LbdError(f"{key}: directory {path} cannot be used: {reason}{hint}")


def state(path: str, owner: tuple[int, int] | None) -> str:
    """The directory of `[global] state_dir`, given to the owner (uid, gid); "" where it is off. Raises `LbdError`."""
    if path == OFF:
        logger.info("no state is kept, since state_dir is off: overrides and registrations end with this process, and "
                    "rollback and reload --confirm are refused")
        return ""
    directory = private(path, "global.state_dir", Global().state_dir, "XDG_STATE_HOME")
    if owner is not None:
        try:
            os.chown(directory, *owner)
        except OSError as error:
            raise LbdError(f"global.state_dir: {directory} cannot be given to the user of [global]: {error.strerror}"
                           ) from None
    return directory


def let_through(path: str, mode: int) -> None:
    """Let all users pass through the directory that may use a file of that mode in it."""
    passing = (0o010 if mode & 0o060 else 0) | (0o001 if mode & 0o006 else 0)
    with contextlib.suppress(OSError):   # another user's directory is that user's to open
        now = stat.S_IMODE(os.stat(path).st_mode)
        if now | passing != now:
            os.chmod(path, now | passing)


def _make(path: str) -> str:
    """Make the directory if need be; returns why it cannot be used, "" when it can."""
    try:
        os.makedirs(path, PRIVATE, exist_ok=True)
    except OSError as error:
        return error.strerror or str(error)
    return "" if os.access(path, os.W_OK | os.X_OK) else "it is not writable"

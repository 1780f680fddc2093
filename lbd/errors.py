"""The errors that cross rooms: each carries what an operator needs to mend it."""

import errno
from collections.abc import Sequence
from dataclasses import dataclass

# Errors of this host, which lacks descriptors or memory: they prove nothing about the peer.
SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


def shortage(error: BaseException | None) -> bool:
    """Whether the error is one of this host's own."""
    return isinstance(error, OSError) and error.errno in SHORTAGES


class LbdError(Exception):
    """Anything lbd refuses to do; the text is one clear line for the operator."""


def no_memory_file(error: OSError) -> LbdError:
    """The error of a memfd that could not be made, in words."""
    hint = "the sandbox (seccomp, SystemCallFilter=) must allow it" if not shortage(error) else "free some, or raise it"
    return LbdError(f"memfd_create: {error.strerror}: lbd needs files in memory; {hint}")


class UnknownTarget(LbdError):
    """A backend or server that does not exist."""


class Conflict(LbdError):
    """A change that does not go together with the present state."""


class Forbidden(LbdError):
    """A change that the configuration does not allow."""


class InvalidChange(LbdError):
    """A change that means nothing, whatever the present state."""


class NotReady(LbdError):
    """A change that comes while the daemon starts or stops."""


class NotStored(LbdError):
    """A change that could not be written to the disk, and so is not acknowledged."""


class UsageError(LbdError):
    """A command line that cannot be understood (exit code 2)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding in a configuration: where it is, which key, and what to write instead.

    `line` and `column` count from 1; 0 means that the file as a whole is meant. `key` is the dotted path
    (`backends.app.servers.a.weight`), empty where a file cannot be parsed at all.
    """

    file: str
    line: int
    column: int
    key: str
    message: str
    warning: bool = False

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where}: {self.key}: {self.message}" if self.key else f"{where}: {self.message}"


class ConfigError(LbdError):
    """A configuration that cannot be used: every error found in it, in the order of the files (exit code 1).

    `warnings` are the findings that would not have hindered, `files` what was read or looked for, so that whoever
    waits for it to be mended knows what to watch.
    """

    def __init__(self, problems: list[Problem], warnings: Sequence[Problem] = (), files: Sequence[str] = ()) -> None:
        self.problems = problems
        self.warnings = list(warnings)
        self.files = tuple(files)
        super().__init__("\n".join(str(problem) for problem in problems))

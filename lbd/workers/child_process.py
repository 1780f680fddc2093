"""A child process of the supervisor: started by fork or exec, watched until its end."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence

from lbd.net import children
from lbd.workers import template


class ChildProcess:
    """A child process. Its output goes to `output`, `on_exit` is called once when it has ended and was waited for.
    `forked` runs already, instead of the command. Raises `OSError` when it cannot be started."""

    def __init__(self, loop: asyncio.AbstractEventLoop, command: Sequence[str], environment: Mapping[str, str],
                 fds: Sequence[int], output: int, on_exit: Callable[[], None],
                 forked: template.ForkedChild | None = None) -> None:
        self._loop = loop
        self._on_exit = on_exit
        self._popen = forked or subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                                 pass_fds=fds, env=environment)
        self.pid = self._popen.pid
        children.started(self.pid)
        self._pidfd = os.pidfd_open(self.pid)
        loop.add_reader(self._pidfd, self._reap)

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens once the process was waited for."""
        self._popen.send_signal(number)

    def describe_end(self, reason: str) -> str:
        """The end of the process in words: its exit code or signal, or `reason` if it was killed ("": it was not)."""
        code = self._popen.wait()       # it was waited for
        if reason and code == -signal.SIGKILL:
            return reason
        if code < 0:
            try:
                return f"killed by {signal.Signals(-code).name}"
            except ValueError:
                return f"killed by signal {-code}"
        return f"exit code {code}"

    def _reap(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._popen.wait()
        children.ended(self.pid)
        self._on_exit()

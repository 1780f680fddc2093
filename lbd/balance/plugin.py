"""An algorithm of the operator's own, a class named by `algorithm = "package.module:Class"`, and the guard around it.

Where it fails, round robin serves the request; that is counted, and logged at most once a minute.
"""

import importlib
from collections.abc import Callable, Sequence
from typing import Any

from lbd.backend.algorithm import Algorithm, Context, RequestFacts
from lbd.backend.server import Server
from lbd.balance.round_robin import RoundRobin
from lbd.errors import LbdError
from lbd.log.logger import logger
from lbd.stats import fields
from lbd.stats.scoreboard import now

SLOWEST = 0.001      # seconds that a pick may take
QUIET = 60.0         # seconds between two lines in the log


def load(name: str) -> Callable[[Any, Context], Algorithm]:
    """The class that `package.module:Class` names; raises `LbdError` with the reason when there is none."""
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as error:
        raise LbdError(f"cannot load {name!r}: {type(error).__name__}: {error}; the module must be installed beside "
                       "lbd or stand in a directory of PYTHONPATH") from error
    lacking = [method for method in ("rebuild", "pick") if not callable(getattr(found, method, None))]
    if not isinstance(found, type) or lacking:
        raise LbdError(f"{name!r} is no algorithm: a class with {' and '.join(lacking or ['rebuild', 'pick'])} is "
                       "needed, like lbd.backend.algorithm.Algorithm")
    return found


class PluginAlgorithm(Algorithm):
    """Calls the operator's object, which may fail in any way, as long as its methods return."""

    def __init__(self, name: str, context: Context) -> None:
        super().__init__(None, context)
        self.name = name
        self.fallback = RoundRobin(None, context)
        self.usable: frozenset[Server] = frozenset()
        self.broken = False
        self.quiet_until = 0.0
        kind = load(name)
        try:
            self.inner = kind(None, context)
        except Exception as error:
            raise LbdError(f"{name!r} cannot be made: {type(error).__name__}: {error}") from error
        if callable(getattr(self.inner, "took", None)):
            self.took = lambda server: self._call(self.inner.took, server)
        if callable(getattr(self.inner, "dropped", None)):
            self.dropped = lambda server: self._call(self.inner.dropped, server)

    def inherit(self, previous: "PluginAlgorithm") -> None:
        self.fallback.inherit(previous.fallback)
        self.quiet_until = previous.quiet_until
        if type(previous.inner) is type(self.inner) and hasattr(self.inner, "inherit"):
            self._call(self.inner.inherit, previous.inner)

    def enroll(self, servers: Sequence[Server]) -> None:
        if hasattr(self.inner, "enroll"):
            self._call(self.inner.enroll, servers)

    def rebuild(self, servers: Sequence[Server]) -> None:
        self.usable = frozenset(servers)
        self.fallback.rebuild(servers)
        self.broken = not self._call(self.inner.rebuild, servers)

    def pick(self, request: RequestFacts) -> Server:
        if self.broken:
            return self._fall_back(request, fields.BACKEND_FALLBACKS_ERROR, "its last rebuild failed")
        begun = now()
        try:
            server = self.inner.pick(request)
            right = server in self.usable
        except Exception as error:
            return self._fall_back(request, fields.BACKEND_FALLBACKS_ERROR, f"{type(error).__name__}: {error}")
        if not right:
            return self._fall_back(request, fields.BACKEND_FALLBACKS_WRONG,
                                   "it chose something else than one of the servers of its last rebuild")
        spent = now() - begun
        if spent > SLOWEST:
            return self._fall_back(request, fields.BACKEND_FALLBACKS_SLOW,
                                   f"it took {spent * 1000:.1f} ms, more than {SLOWEST * 1000:g} ms")
        return server

    def _call(self, method: Callable[[Any], Any], argument: Any) -> bool:
        """Call a method of the operator's object; False where it raised."""
        try:
            method(argument)
        except Exception as error:
            self._log(f"{type(error).__name__}: {error}", getattr(method, "__name__", ""))
            return False
        return True

    def _fall_back(self, request: RequestFacts, field: int, reason: str) -> Server:
        if self.context.row is not None:
            self.context.row.add(field, 1)
        self._log(reason, "pick")
        return self.fallback.pick(request)

    def _log(self, reason: str, method: str) -> None:
        moment = now()
        if moment >= self.quiet_until:
            self.quiet_until = moment + QUIET
            logger.warning("own algorithm fails, round-robin chooses", backend=self.context.backend,
                           algorithm=self.name, method=method, reason=reason)

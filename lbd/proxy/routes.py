"""The routes of one listener in one generation: where each goes, and the filters on its way."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from lbd import schema
from lbd.backend.backend import Backend
from lbd.errors import LbdError
from lbd.exchange.context import FilterChain
from lbd.exchange.filter import Filter, FilterContext
from lbd.filters import built_in, plugin
from lbd.filters.chain import Chain
from lbd.filters.entrance import make_entrance
from lbd.filters.headers import edits
from lbd.filters.hsts import Hsts, replaced
from lbd.filters.place import FilterPlace
from lbd.proxy.tls import of_request
from lbd.routing.answers import Answers, answer, to_https
from lbd.routing.router import Router
from lbd.routing.target import RouteTarget
from lbd.stats.scoreboard import Row


class Surroundings(NamedTuple):
    """The things that the routes of a listener lead to: backends by name, "" for lbd itself, and a row for each of them
    where the listener has routes there; `context` is that of their filters."""

    backends: Mapping[str, Backend]
    rows: Mapping[str, Row]
    context: FilterContext


class ListenerRoutes:
    """Builds the routes of a listener. `chains`: those that have filters; `entrance`: the target of requests that have
    no route yet, where the listener has filters of its own."""

    def __init__(self, name: str, config: schema.Config, around: Surroundings) -> None:
        self._name = name
        self._config = config
        self._settings = config.listeners[name]
        self._around = around
        self._own: dict[str, list[Filter]] = {}         # the operator's own, by the place that lists them
        self._removed: set[bytes] = set()
        self.chains: dict[RouteTarget, FilterChain] = {}
        around.context.backends.update({
            backend: RouteTarget(around.rows.get(backend, around.rows[""]), around.backends[backend])
            for backend in config.backends})
        for backend, own in around.context.backends.items():
            own.named = of_request(config.backends[backend])
        self._entered = self._filters(self._settings.filters, f"listeners.{name}")
        self.router = self._build()
        self.entrance = self._enter() if self._entered else None

    def _build(self) -> Router:
        wanted = self._settings
        routes = [(route, self._target(route.backend, route, index)) for index, route in enumerate(wanted.routes)]
        return Router(routes, self._target(wanted.backend, None, -1))

    def _target(self, backend: str | None, route: schema.RouteConfig | None, index: int) -> RouteTarget:
        wanted, around = self._settings, self._around
        answers: Answers | None = None
        if backend is None:
            redirects = route is None and wanted.https_redirect
            answers = to_https(wanted.https_redirect) if redirects else answer(route)
        logged = wanted.access_log and (route is None or route.access_log)
        target = RouteTarget(around.rows[backend or ""], around.backends[backend or ""], answers, index, logged)
        settings = self._config.backends[backend] if backend is not None else None
        place = FilterPlace(wanted, route, settings, self._config.tracing)
        if settings is not None:
            target.named = of_request(settings)
            self._remove(target, place, settings)
        own = self._filters(route.filters, f"listeners.{self._name}.routes.{index}") if route is not None else []
        own = [*own, *(self._filters(settings.filters, f"backends.{backend}") if settings is not None else ())]
        found = [*built_in(place, around.context), *own]
        if found or self._entered:
            target.plain = False
            self.chains[target] = Chain(around.context.worker.process, found, self._entered)
        return target

    def _remove(self, target: RouteTarget, place: FilterPlace, settings: schema.BackendConfig) -> None:
        """Note the fields that filters take out, so that trailers do not bring them."""
        target.removed = (*edits(settings.request_headers).removed, *((b"host",) if settings.host is not None else ()))
        hsts = replaced(place)
        target.response_removed = (*edits(settings.response_headers).removed, *((hsts,) if hsts is not None else ()))
        self._removed.update(target.removed)

    def _filters(self, wanted: Sequence[schema.FilterConfig], place: str) -> list[Filter]:
        """The operator's own filters of one place, which are made once for the listener."""
        known = self._own.get(place)
        if known is None:
            known = self._own[place] = []
            for number, one in enumerate(wanted):
                try:
                    known.append(plugin.make(one, self._around.context))
                except LbdError as error:
                    raise LbdError(f"{place}.filters.{number}: {error}") from None
        return known

    def _enter(self) -> RouteTarget:
        """The target of requests before they have a route."""
        around, wanted = self._around, self._settings
        target = RouteTarget(around.rows[""], around.backends[""], None, -1, wanted.access_log)
        target.plain = False
        target.onward = self.router.route
        target.removed = tuple(sorted(self._removed))
        hsts = Hsts.of(FilterPlace(wanted, None, None, self._config.tracing), around.context)
        self.chains[target] = make_entrance(around.context.worker.process, [*self._entered, *((hsts,) if hsts else ())],
                                            any(chain.sends for chain in self.chains.values()))
        return target

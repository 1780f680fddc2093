"""The filters, one kind a file, in the order in which requests pass them; imports exchange and below.

A new kind is a file here, a line of `FILTERS` and a test. Answers pass the filters the other way round. A request
passes its listener's own filters first, before it has a route; then these; then the own filters of its route and of its
backend.
"""

from collections.abc import Callable, Mapping

from lbd.exchange.filter import Filter, FilterContext
from lbd.filters.client_certificate import ClientCertificate
from lbd.filters.explain import Explain
from lbd.filters.headers import Headers
from lbd.filters.host import Host
from lbd.filters.hsts import Hsts
from lbd.filters.place import FilterPlace
from lbd.filters.sticky import StickyCookie
from lbd.filters.strip_prefix import StripPrefix
from lbd.filters.trace import Trace

# By name; each function gives the filter of a place, or None where there is nothing to do.
FILTERS: Mapping[str, Callable[[FilterPlace, FilterContext], Filter | None]] = {
    "explain": Explain.of,
    "sticky": StickyCookie.of,
    "hsts": Hsts.of,
    "strip_prefix": StripPrefix.of,
    "headers": Headers.of,
    "host": Host.of,
    "client_certificate": ClientCertificate.of,
    "trace": Trace.of,
}


def built_in(place: FilterPlace, context: FilterContext) -> list[Filter]:
    """The filters that the configuration of a place asks for, in order."""
    return [found for of in FILTERS.values() if (found := of(place, context)) is not None]

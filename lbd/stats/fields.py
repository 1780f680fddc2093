"""The fields: every cell of the scoreboard, one line each; layout, constants and metrics are made from these lines.

A counter is added by one line here and `row.add(INDEX, amount)` where it happens. Every cell is a C double: it counts
exactly to 2**53, and readers and writers of all kinds need no types.
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from lbd.stats.endings import ENDINGS, ROOM

CODES = ("1xx", "2xx", "3xx", "4xx", "5xx", "none")      # classes of status; none: no final head
RARE_CODES = ("1xx", "none")
MOST_BOUNDS = 32      # of a histogram; which they are, the board says
RESPONSE_BOUNDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0)


class Field(NamedTuple):
    """A cell of a row. `metric` is empty where it is not exported; `label` (name, value) tells it from its siblings.

    `rare`: it has no series until it is above 0.
    """

    name: str
    gauge: bool
    metric: str
    text: str
    label: tuple[str, str] | None
    rare: bool = False


class Histogram(NamedTuple):
    """Cells that are one histogram: from `first` on one per bound, one above the last bound, then the sum."""

    first: int
    metric: str
    text: str


class RowKind:
    """A kind of rows: how many there may be, the labels that name one in the metrics, and its fields in order."""

    def __init__(self, name: str, capacity: int, *labels: str) -> None:
        self.name = name
        self.capacity = capacity
        self.labels = labels
        self.fields: list[Field] = []
        self.histograms: list[Histogram] = []

    def _add(self, name: str, gauge: bool, metric: str, text: str, label: tuple[str, str] | None = None,
             rare: bool = False) -> int:
        self.fields.append(Field(name, gauge, metric, text, label, rare))
        return len(self.fields) - 1

    def gauge(self, name: str, text: str, metric: str = "") -> int:
        """Add a figure of the moment, zeroed when its process is dead; returns the index."""
        return self._add(name, True, metric, text)

    def counter(self, name: str, text: str, metric: str = "", label: tuple[str, str] | None = None,
                rare: bool = False) -> int:
        """Add a figure that only grows and outlives its process; returns the index."""
        return self._add(name, False, metric, text, label, rare)

    def counters(self, name: str, text: str, metric: str, label: str, values: Sequence[str],
                 rare: Sequence[str] = ()) -> int:
        """Add a counter per value of a label, side by side; returns the index of the first."""
        first = len(self.fields)
        for place, value in enumerate(values):
            self._add(f"{name}_{place}", False, metric if value else "", text, (label, value), value in rare)
        return first

    def histogram(self, name: str, text: str, metric: str) -> int:
        """Add the counters of a histogram: one per bound that there may be, and two; returns the index of the first."""
        first = len(self.fields)
        for place in range(MOST_BOUNDS + 2):
            self._add(f"{name}_{place}", False, "", text)
        self.histograms.append(Histogram(first, metric, text))
        return first


# The first field of a kind that has requests in flight is that count: the kernel keeps the servers' side by side.

_server = RowKind("server", 16384, "backend", "server")
SERVER_IN_FLIGHT = _server.gauge("in_flight", "Requests in flight.", "lbd_server_in_flight")
SERVER_CONNECTIONS = _server.gauge("connections", "Open connections, idle ones too.", "lbd_server_open_connections")
SERVER_CONNECTIONS_TOTAL = _server.counter("connections_total", "Connections opened.", "lbd_server_connections")
SERVER_CONNECTION_ERRORS = _server.counter(
    "connection_errors", "Connections that could not be opened.", "lbd_server_connection_errors")
SERVER_REQUESTS = _server.counters(
    "requests", "Requests that ended at the server, by class of its response.", "lbd_server_requests", "code", CODES,
    RARE_CODES)
SERVER_DROPPED = _server.counter(
    "dropped", "Requests that were taken from the server and given to another.", "lbd_server_dropped")
SERVER_BYTES_IN = _server.counter(
    "bytes_in", "Bytes of requests, as received from clients.", "lbd_server_request_bytes")
SERVER_BYTES_OUT = _server.counter(
    "bytes_out", "Bytes of responses, as sent to clients.", "lbd_server_response_bytes")
SERVER_HEAD_SECONDS = _server.counter(
    "head_seconds", "Seconds until the response head, summed over requests.", "lbd_server_head_seconds")
SERVER_TOTAL_SECONDS = _server.counter(
    "total_seconds", "Seconds until the end of the request, summed over requests.", "lbd_server_busy_seconds")
SERVER_FAILURES = _server.gauge("failures", "Failures since the last success.")
SERVER_SUCCEEDED = _server.gauge("succeeded", "When the last success was, in monotonic seconds.")
SERVER_OLDEST = _server.gauge("oldest", "Since when a request waits for this server alone, in monotonic seconds.")
SERVER_RESPONSE = _server.histogram(
    "response", "Seconds from the choice of the server to the end of its response.", "lbd_server_response_seconds")

_route = RowKind("route", 4096, "listener", "backend")
ROUTE_REQUESTS = _route.counters(
    "requests", "Requests whose head was accepted, by class of the response.", "lbd_requests", "code", CODES,
    RARE_CODES)
ROUTE_BYTES_IN = _route.counter("bytes_in", "Bytes of requests, as received from clients.", "lbd_request_bytes")
ROUTE_BYTES_OUT = _route.counter("bytes_out", "Bytes of responses, as sent to clients.", "lbd_response_bytes")

_RETRIES = "Requests sent again, by what went wrong before."
_backend = RowKind("backend", 4096, "backend")
BACKEND_IN_FLIGHT = _backend.gauge("in_flight", "Requests in flight, waiting ones too.", "lbd_backend_in_flight")
BACKEND_QUEUE = _backend.gauge("queue", "Requests that wait for a free server.", "lbd_backend_queue")
BACKEND_RESPONSE = _backend.histogram(
    "response", "Seconds from the request head to the end of the response, of requests that a server answered.",
    "lbd_backend_response_seconds")
BACKEND_RETRIES_REFUSED = _backend.counter("retries_refused", _RETRIES, "lbd_retries", ("reason", "refused"))
BACKEND_RETRIES_STALE = _backend.counter("retries_stale", _RETRIES, "lbd_retries", ("reason", "idle-stale"))
BACKEND_RETRIES_LOST = _backend.counter("retries_lost", _RETRIES, "lbd_retries", ("reason", "lost"))
BACKEND_RETRIES_TIMEOUT = _backend.counter("retries_timeout", _RETRIES, "lbd_retries", ("reason", "timeout"))
BACKEND_RETRIES_STATUS = _backend.counter("retries_status", _RETRIES, "lbd_retries", ("reason", "status"))
BACKEND_RETRIES_DENIED = _backend.counter(
    "retries_denied", "Repeats that were asked for and not made because of the budget.", "lbd_retries_denied")
BACKEND_RETRYING = _backend.gauge("retrying", "Requests in flight that are repeats within the budget.")
BACKEND_OLDEST = _backend.gauge("oldest", "Since when the request waits that waits longest, in monotonic seconds.")
_FALLBACKS = "Requests for which round-robin chose, by what the operator's own algorithm did wrong."
BACKEND_FALLBACKS_ERROR = _backend.counter("fallbacks_error", _FALLBACKS, "lbd_fallbacks", ("reason", "error"), True)
BACKEND_FALLBACKS_WRONG = _backend.counter("fallbacks_wrong", _FALLBACKS, "lbd_fallbacks", ("reason", "wrong"), True)
BACKEND_FALLBACKS_SLOW = _backend.counter("fallbacks_slow", _FALLBACKS, "lbd_fallbacks", ("reason", "slow"), True)

_listener = RowKind("listener", 512, "listener")
LISTENER_CONNECTIONS = _listener.gauge("connections", "Open client connections.", "lbd_listener_connections")
LISTENER_ACCEPTED = _listener.counter("accepted", "Client connections accepted.", "lbd_listener_accepted")
LISTENER_DENIED = _listener.counter(
    "denied", "Client connections closed because their address is not allowed.", "lbd_listener_denied")
_REFUSED = "Client connections closed at once because of a limit."
LISTENER_REFUSED_FULL = _listener.counter(
    "refused_full", _REFUSED, "lbd_listener_refused", ("reason", "max_connections"))
LISTENER_REFUSED_CLIENT = _listener.counter(
    "refused_client", _REFUSED, "lbd_listener_refused", ("reason", "max_connections_per_client"))
LISTENER_REFUSED_RATE = _listener.counter(
    "refused_rate", _REFUSED, "lbd_listener_refused", ("reason", "accept_rate"))
LISTENER_LIMITED = _listener.counter(
    "limited", "Times that accepting paused at the limit of connections.", "lbd_listener_limited")

_process = RowKind("process", 1)
PROCESS_ENDINGS = _process.counters("ending", "Requests by how they ended.", "lbd_endings", "ending",
                                    [ending.name for ending in ENDINGS] + [""] * (ROOM - len(ENDINGS)))
PROCESS_PID = _process.gauge("pid", "Process id of the lane's owner; 0 when nobody has it.")
PROCESS_STARTED = _process.gauge("started", "Unix time at which the process began.")
PROCESS_CONNECTIONS = _process.gauge("connections", "Client connections of the process.")
PROCESS_LAG_MAX = _process.gauge("lag_max", "Longest delay of the event loop lately, in seconds.")
PROCESS_LAG = _process.counter(
    "lag", "Seconds that event loops were late, summed over all turns measured.", "lbd_loop_lag_seconds")
PROCESS_LOG_DROPPED = _process.counter(
    "log_dropped", "Access log lines dropped because nobody took them.", "lbd_log_lines_dropped")
PROCESS_SPANS_DROPPED = _process.counter(
    "spans_dropped", "Spans dropped because nobody took them from the worker.", "lbd_spans_dropped")
PROCESS_FILTER_ERRORS = _process.counter(
    "filter_errors", "Failures and slow hooks of filters, whether or not the request went on.", "lbd_filter_errors")

KINDS = (_server, _route, _backend, _listener, _process)     # the place is the kind's number


def fingerprint() -> int:
    """A positive number of 56 bits that changes when any row's layout does."""
    shape = [(kind.name, kind.capacity, [(field.name, field.gauge) for field in kind.fields]) for kind in KINDS]
    return int.from_bytes(hashlib.blake2b(repr(shape).encode(), digest_size=7).digest())

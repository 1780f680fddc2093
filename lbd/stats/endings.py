"""The endings: every way in which a request can end, one line each, in the order of their numbers.

The number of an ending is its place here: append, never move one, since supervisor and workers of two versions share
the counters during an upgrade. Metric, log code and counter follow from the line.
"""

from typing import NamedTuple

ROOM = 64     # counters that the scoreboard keeps for endings

# Whose doing an ending is.
NOBODY, CLIENT, SERVER, LBD, OPERATOR = "none", "client", "server", "lbd", "operator"


class Ending(NamedTuple):
    """An ending of a request. `status` is what lbd answers with, 0 where it sends no answer; `text` is for people."""

    name: str
    blame: str
    status: int
    text: str


_table: list[Ending] = []


def _ending(name: str, blame: str, status: int, text: str) -> int:
    _table.append(Ending(name, blame, status, text))
    return len(_table) - 1


OK = _ending("ok", NOBODY, 0, "the server's response was delivered")
ANSWERED = _ending("answered", NOBODY, 0, "lbd answered as the route says: a redirect or a fixed response")
TUNNEL_CLOSED = _ending("tunnel-closed", NOBODY, 0, "one side closed the tunnel")
TUNNEL_TIMEOUT = _ending("tunnel-timeout", NOBODY, 0, "nothing passed through the tunnel for too long")

CLIENT_CLOSED = _ending("client-closed", CLIENT, 0, "the client went away before the response was delivered")
CLIENT_RESET = _ending("client-reset", CLIENT, 0, "the client reset the connection")
CLIENT_HEADER_TIMEOUT = _ending("client-header-timeout", CLIENT, 408, "the request head did not arrive in time")
CLIENT_BODY_TIMEOUT = _ending("client-body-timeout", CLIENT, 408, "the request body stopped arriving")
CLIENT_SLOW = _ending("client-slow", CLIENT, 0, "the client stopped taking the response")

BAD_REQUEST = _ending("bad-request", CLIENT, 400, "the request is not valid HTTP/1")
HEAD_TOO_LARGE = _ending("head-too-large", CLIENT, 431, "the request head is longer than allowed")
URI_TOO_LONG = _ending("uri-too-long", CLIENT, 414, "the request target is longer than allowed")
BODY_TOO_LARGE = _ending("body-too-large", CLIENT, 413, "the request body is longer than allowed")
NO_ROUTE = _ending("no-route", CLIENT, 404, "no route takes the request and the listener has no backend")
METHOD_REFUSED = _ending("method-refused", CLIENT, 501, "lbd does not forward this method")
DENIED = _ending("denied", OPERATOR, 0, "the client's address is not allowed here")
OVER_LIMIT = _ending("over-limit", CLIENT, 429, "not in use: kept for a bound of requests")
MISDIRECTED = _ending("misdirected", CLIENT, 421, "not in use: the request is for another host than the connection")

CONNECT_REFUSED = _ending("connect-refused", SERVER, 502, "the server refused the connection")
CONNECT_FAILED = _ending("connect-failed", SERVER, 502, "the server cannot be reached")
CONNECT_TIMEOUT = _ending("connect-timeout", SERVER, 504, "the server did not accept the connection in time")
SERVER_TIMEOUT = _ending("server-timeout", SERVER, 504, "the response head did not arrive in time")
SERVER_BODY_TIMEOUT = _ending("server-body-timeout", SERVER, 0, "the response body stopped arriving: response cut")
SERVER_CLOSED = _ending("server-closed", SERVER, 502, "the server closed the connection before a response")
SERVER_RESET = _ending("server-reset", SERVER, 502, "not in use: a reset before a response counts as server-closed")
BAD_RESPONSE = _ending("bad-response", SERVER, 502, "the response is not valid HTTP/1")
SERVER_CUT = _ending("server-cut", SERVER, 0, "the server broke off within the response body: response cut")

NO_SERVER = _ending("no-server", SERVER, 503, "no server of the backend is usable")
QUEUE_FULL = _ending("queue-full", SERVER, 503, "all servers are full and so is the queue")
QUEUE_TIMEOUT = _ending("queue-timeout", SERVER, 503, "no server became free in time")

DRAIN_CUT = _ending("drain-cut", OPERATOR, 0, "the server or listener was removed and its drain ran out of time")
SHUTDOWN_CUT = _ending("shutdown-cut", OPERATOR, 0, "lbd stopped before the request was done")
BACKEND_GONE = _ending("backend-gone", OPERATOR, 503, "the backend was removed while the request waited")
INTERNAL_ERROR = _ending("internal-error", LBD, 500, "a fault of lbd")
BACKEND_FULL = _ending("backend-full", SERVER, 503, "the backend has as many requests in flight as it may have")
SERVER_DOWN = _ending("server-down", SERVER, 502, "the server went down, and what it had in hand is not waited for")
OUT_OF_RESOURCES = _ending("out-of-resources", LBD, 503, "lbd has no descriptor or memory left for a connection")

PROXY_UNTRUSTED = _ending("proxy-untrusted", CLIENT, 0, "who connected may not send a PROXY header")
PROXY_HEADER = _ending("proxy-header", CLIENT, 0, "the PROXY header is missing, cut or not valid")
PROXY_TIMEOUT = _ending("proxy-timeout", CLIENT, 0, "the PROXY header did not arrive in time")
TLS_FAILED = _ending("tls-failed", CLIENT, 0, "the TLS handshake with the client failed")
TLS_TIMEOUT = _ending("tls-timeout", CLIENT, 0, "the TLS handshake with the client took too long")
TLS_PLAIN = _ending("tls-plain", CLIENT, 400, "the client speaks HTTP without TLS to a port of TLS")
TLS_CERTIFICATE = _ending("tls-certificate", CLIENT, 0, "the client's certificate is missing or not believed")
SERVER_TLS = _ending("server-tls", SERVER, 502, "the TLS handshake with the server failed, or its certificate")
HALF_CLOSED_TIMEOUT = _ending(
    "half-closed-timeout", NOBODY, 0, "one side of the tunnel had ended, and the other was silent for too long")
BAD_CLIENT_HELLO = _ending(
    "bad-client-hello", CLIENT, 0, "what came is no ClientHello of TLS, and no backend is for that")
CLIENT_HELLO_TIMEOUT = _ending(
    "client-hello-timeout", CLIENT, 0, "the ClientHello of TLS did not arrive in time")
LISTENER_FULL = _ending("listener-full", CLIENT, 0, "the listener has as many connections as it may have")
CLIENT_FULL = _ending("client-full", CLIENT, 0, "the client has as many connections as it may have")
ACCEPT_RATE = _ending("accept-rate", CLIENT, 0, "the listener took as many connections in this second as it may")
CODING_REFUSED = _ending("coding-refused", CLIENT, 501, "the request has a transfer coding other than chunked")
TLS_NAME = _ending("tls-name", CLIENT, 0, "the client asked by TLS for no host name, or for one of no certificate")
TLS_PROTOCOL = _ending("tls-protocol", CLIENT, 0, "the client offered by ALPN only protocols that are not spoken here")
OPERATOR_CUT = _ending("operator-cut", OPERATOR, 503, "an operator had the connections of the server cut")
FILTER_TIMEOUT = _ending("filter-timeout", LBD, 504, "a filter held the request for longer than it may")
FILTER_FAILED = _ending("filter-failed", LBD, 500, "a filter failed, and the request may not pass without it")

ENDINGS: tuple[Ending, ...] = tuple(_table)

# Statuses that are failures of the server that answers with them, in ranges, unless its backend says otherwise.
FAILING = ((502, 504),)

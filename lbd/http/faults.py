"""The faults of messages: with which status a request is refused, and what was wrong, for the log."""

UNKNOWN_CODING = "the transfer coding is not one that is served"

# By Fault of lines.pxd, negated. A response is always a 502.
FAULTS: tuple[tuple[int, str], ...] = (
    (0, ""),
    (400, "the method is not a token"),
    (400, "the request target is not valid"),
    (400, "the request line does not end in HTTP/1.0 or HTTP/1.1"),
    (414, "the request target is too long"),
    (501, "CONNECT is not served"),
    (431, "the head is too long"),
    (431, "the head has too many fields"),
    (400, "a field name is not a token, or white space stands before or instead of it"),
    (400, "a line does not end in CR LF"),
    (400, "the head has a control character"),
    (400, "Host is not valid, or repeated"),
    (400, "HTTP/1.1 needs a Host"),
    (400, "Content-Length is not one plain number"),
    (400, "Transfer-Encoding is not exactly chunked, or comes with HTTP/1.0"),
    (400, "Content-Length and Transfer-Encoding are both given"),
    (400, "Connection has too many options"),
    (400, "Max-Forwards is not one plain number"),
    (502, "the status line is not valid"),
    (502, "status 101 comes without Upgrade"),
    (400, "the chunked body is malformed"),
    (400, "the first line of a chunk is too long"),
    (400, "the trailer section is too long"),
    (413, "the body is too long"),
    (400, "too many empty lines stand before the request"),
    (501, UNKNOWN_CODING),
    (400, "a field name has an underscore"),
)

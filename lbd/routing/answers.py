"""The answers of lbd itself: fixed ones, redirects, no route, and the last hop of TRACE and OPTIONS."""

from collections.abc import Callable, Mapping

from lbd import schema
from lbd.http import fields, replies
from lbd.http.message import Head
from lbd.stats import endings

# Texts of refusals whose status alone would say something else.
OWN = {endings.CODING_REFUSED: b"501 The transfer coding is not supported.\n"}

Answer = tuple[int, bytes, int]          # status, the ready bytes, ending
Answers = Callable[[Head, bool, Mapping[int, bytes]], Answer]


def answer(route: schema.RouteConfig | None) -> Answers:
    """The answers to requests of a route without a backend; None is a listener without a default backend."""
    if route is not None and route.redirect is not None:
        return redirect(route.redirect)
    if route is not None and route.respond is not None:
        return respond(route.respond)
    return no_route


def no_route(request: Head, keep: bool, bodies: Mapping[int, bytes]) -> Answer:
    """404: no route takes the request, and there is no default."""
    accept, request_id = (request.get(name) or b"" for name in (b"accept", b"x-request-id"))
    reply = replies.reply(404, keep, replies.wants_json(accept), head_only=request.method == b"HEAD",
                          body=bodies.get(404), request_id=request_id)
    return 404, reply, endings.NO_ROUTE


def to_https(port: int) -> Answers:
    """Redirects to the same URL by https; the method stays (308). Without a Host there is no URL: 404."""
    end = b"" if port == 443 else b":%d" % port

    def answers(request: Head, keep: bool, bodies: Mapping[int, bytes]) -> Answer:
        if not request.host:
            return no_route(request, keep, bodies)
        target = request.target if request.target.startswith(b"/") else b"/"
        host = fields.host_name(request.host)
        name = f"[{host}]" if ":" in host and not host.startswith("[") else host
        reply = replies.redirect(308, b"https://" + name.encode("latin-1") + end + target, keep,
                                 head_only=request.method == b"HEAD")
        return 308, reply, endings.ANSWERED
    return answers


def redirect(wanted: schema.Redirect) -> Answers:
    """A Location made of the request's host, path and query; 404 where it needs a host and there is none."""
    def answers(request: Head, keep: bool, bodies: Mapping[int, bytes]) -> Answer:
        if not request.host and "{host}" in wanted.to:
            return no_route(request, keep, bodies)
        path, _, query = request.target.partition(b"?")
        location = wanted.to
        for name, value in (("{host}", fields.host_name(request.host)), ("{path}", path.decode("latin-1")),
                            ("{query}", query.decode("latin-1"))):
            location = location.replace(name, value)
        if location[:2] in ("//", "/\\") and not wanted.to.startswith("//"):
            location = "/" + location.lstrip("/\\")      # a client's path must not name a host (RFC 3986, 4.2)
        reply = replies.redirect(wanted.status, location.encode("latin-1"), keep,
                                 head_only=request.method == b"HEAD")
        return wanted.status, reply, endings.ANSWERED
    return answers


def respond(wanted: schema.Respond) -> Answers:
    """A fixed answer."""
    body, content_type = wanted.body.encode(), wanted.content_type.encode()

    def answers(request: Head, keep: bool, bodies: Mapping[int, bytes]) -> Answer:
        reply = replies.fixed(wanted.status, body, content_type, keep, head_only=request.method == b"HEAD")
        return wanted.status, reply, endings.ANSWERED
    return answers

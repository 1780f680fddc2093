"""The bearer token that the admin interface wants on a TCP address (RFC 6750)."""

import hmac

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from lbd.admin.answers import answer
from lbd.errors import LbdError

SHORTEST = 16   # characters; anything shorter can be guessed over the network
OPEN = ("/healthz", "/readyz")


def read(path: str) -> str:
    """The token in a file, white space around it left out. Raises `LbdError`."""
    try:
        with open(path, encoding="ascii") as file:
            token = file.read(4096).strip()
    except OSError as error:
        raise LbdError(f"admin.token_file: cannot read {path}: {error.strerror}") from None
    except ValueError:
        raise LbdError(f"admin.token_file: {path} must hold one line of ASCII text") from None
    if len(token) < SHORTEST or not token.isprintable() or " " in token:
        raise LbdError(f"admin.token_file: {path} must hold one word of at least {SHORTEST} characters")
    return token


def wanted(token: str) -> Middleware:
    """Middleware that answers 401 to whoever does not present the token; health resources are open."""
    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in OPEN or _presented(request.headers.get("Authorization", ""), token):
            return await handler(request)
        response = answer({"error": "a bearer token is needed: Authorization: Bearer TOKEN"}, 401)
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    return check


def _presented(field: str, token: str) -> bool:
    scheme, _, presented = field.partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(presented.strip().encode(errors="replace"),
                                                              token.encode())

"""The bearer tokens that the admin interface requires on a TCP address (RFC 6750), and their roles."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lbd.config.files import fetch
from lbd.errors import LbdError
from lbd.schema import units as u

SHORTEST = 16            # characters; anything shorter can be guessed over the network
LARGEST = 64 * 1024      # bytes of the file
ROLES = ("read", "register", "operate")
_HASHED = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Token:
    """A token: its role, the backends of the role `register`, and the hash of the secret."""

    role: str
    digest: bytes = field(repr=False)
    backends: frozenset[str] = frozenset()

    def permits(self, role: str, backend: str) -> bool:
        """Whether it permits requests that require the role, for that backend ("": for none in particular)."""
        if self.role == "operate":
            return True
        if self.role == "read":
            return role == "read"
        return role in ("read", "register") and backend in self.backends

    def __str__(self) -> str:
        return f"{self.role} {','.join(sorted(self.backends))}".strip()


def read_tokens(path: str) -> tuple[Token, ...]:
    """The tokens in a file, one a line: `TOKEN`, or `ROLE TOKEN`, or `register:BACKEND,… TOKEN`.

    A token is a word of at least 16 characters, or `sha256:` and the hash of one in hexadecimal. One without a role
    may do everything. Empty lines and lines that begin with # are left out. Raises `LbdError`.
    """
    try:
        lines = fetch(path, LARGEST).decode("ascii").splitlines()
    except OSError as error:
        raise LbdError(f"admin.token_file: cannot read {path}: {error.strerror}") from None
    except ValueError:
        raise LbdError(f"admin.token_file: {path} must hold ASCII text") from None
    found = [_token(line.split(), f"{path}:{number}") for number, line in enumerate(lines, 1)
             if line.strip() and not line.lstrip().startswith("#")]
    if not found:
        raise LbdError(f"admin.token_file: {path} holds no token")
    return tuple(found)


def find_token(field: str, tokens: Sequence[Token]) -> Token | None:
    """The token that an Authorization field presents, compared in constant time; None for an unknown one."""
    scheme, _, presented = field.partition(" ")
    digest = hashlib.sha256(presented.strip().encode(errors="replace")).digest()
    found = None
    for token in tokens:
        if hmac.compare_digest(digest, token.digest):
            found = token
    return found if scheme.lower() == "bearer" else None


def _token(words: list[str], where: str) -> Token:
    if len(words) > 2:
        raise LbdError(f"admin.token_file: {where}: must be TOKEN or ROLE TOKEN, and has {len(words)} words")
    secret = words[-1]
    role, _, listed = words[0].partition(":") if len(words) == 2 else ("operate", "", "")
    backends = frozenset(filter(None, listed.split(",")))
    if role not in ROLES or bool(backends) != (role == "register"):
        raise LbdError(f"admin.token_file: {where}: the role must be read, operate, or register:BACKEND,BACKEND…")
    try:
        for backend in backends:
            u.NAME.parse(backend)
    except ValueError as error:
        raise LbdError(f"admin.token_file: {where}: a backend {error}") from None
    if _HASHED.fullmatch(secret):
        return Token(role, bytes.fromhex(secret.removeprefix("sha256:")), backends)
    if len(secret) < SHORTEST or not secret.isprintable():
        raise LbdError(f"admin.token_file: {where}: a token must be one word of at least {SHORTEST} characters")
    return Token(role, hashlib.sha256(secret.encode()).digest(), backends)

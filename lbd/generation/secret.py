"""The key of sticky cookies: given in the configuration for several machines, else made once and kept in state_dir."""

import hashlib
import os
import secrets

from lbd.config.files import fetch
from lbd.config.rules import stickiness
from lbd.errors import LbdError
from lbd.schema import Config

FILE = "sticky.key"
SIZE = 32         # bytes
LARGEST = 2**20   # bytes of a file that is in its place


def needed(config: Config) -> bool:
    """Whether some backend is sticky."""
    return any(backend.stickiness is not None for backend in config.backends.values())


def sticky_secret(config: Config, directory: str) -> bytes:
    """The key; b"" where nothing needs one; `directory` is "" where nothing is kept. Raises `LbdError` when the
    file cannot be read or made."""
    if not needed(config):
        return b""
    given = config.global_.sticky_secret
    if given is not None:
        return hashlib.blake2b(given.encode(), digest_size=SIZE, person=b"lbd sticky").digest()
    if not directory:
        if any(any(stickiness(config, listener)) for listener in config.listeners.values()):
            raise LbdError('global.state_dir: it is "off" since the start, so that nothing keeps the key of sticky '
                           "cookies; set global.sticky_secret, or restart")
        return b""
    path = os.path.join(directory, FILE)
    try:
        return _kept(path) or _made(path)
    except OSError as error:
        raise LbdError(f"global.state_dir: cannot keep the key of sticky cookies in {path}: {error.strerror}; "
                       "make it writable, or set global.sticky_secret") from None


def _kept(path: str) -> bytes:
    """The key that is there; b"" if there is none, or one of another length: then it is of no use."""
    try:
        key = fetch(path, LARGEST)
    except FileNotFoundError:
        return b""
    return key if len(key) == SIZE else b""


def _made(path: str) -> bytes:
    """A new key, whole on disk before it is used."""
    key = secrets.token_bytes(SIZE)
    new = f"{path}.new"
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    os.rename(new, path)
    return key

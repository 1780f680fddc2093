"""The credentials of a listener or a backend: the contents of its TLS files, as the supervisor read them."""

from dataclasses import dataclass, field

from lbd.tls.pem import Pem

Place = tuple[str, str]      # "listeners" or "backends", and the name


@dataclass(frozen=True, slots=True)
class Credentials:
    """The certificates and keys of one place: `pems` are shown to the peer, whose own certificate is verified by
    `authorities` (PEM; b"": the system's, or none).

    `keys` are those of a listener's session tickets, `named` the certificates (DER) of the authorities whose names it
    sends to its clients. None of it is shown or logged.
    """

    pems: tuple[Pem, ...] = field(default=(), repr=False)
    authorities: bytes = field(default=b"", repr=False)
    keys: bytes = field(default=b"", repr=False)
    named: tuple[bytes, ...] = field(default=(), repr=False)

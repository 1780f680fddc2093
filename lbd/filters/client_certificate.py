"""The header fields that tell servers of a client's certificate; only lbd may set them."""

import hashlib
import ssl
import time
from collections.abc import Sequence
from typing import Self, cast

from lbd.exchange.filter import Filter, FilterContext
from lbd.exchange.streams import Requester
from lbd.filters.place import FilterPlace
from lbd.http.message import Head
from lbd.net.transport import Transport

FIELDS = (b"x-ssl-client-verify", b"x-ssl-client-subject", b"x-ssl-client-issuer", b"x-ssl-client-serial",
          b"x-ssl-client-not-after", b"x-ssl-client-sha256")

# Short names of RFC 4514, section 3; others stand with their own.
SHORT = {"commonName": "CN", "localityName": "L", "stateOrProvinceName": "ST", "organizationName": "O",
         "organizationalUnitName": "OU", "countryName": "C", "streetAddress": "STREET", "domainComponent": "DC",
         "userId": "UID"}
Name = Sequence[Sequence[tuple[str, str]]]       # as `ssl` gives a distinguished name

SPECIAL = set(',+"\\<>;=')


class ClientCertificate(Filter):
    """Tells servers of the client's certificate, where the listener asks for one. Clients cannot: what they send of
    these fields is dropped when their requests are read. Answers are not changed."""

    @classmethod
    def of(cls, place: FilterPlace, context: FilterContext) -> Self | None:
        """The filter of a place; None where it has nothing to do."""
        tls = place.listener.tls
        if tls is None or tls.client_ca is None or place.backend is None:
            return None
        return cls(None, context)

    def on_request(self, exchange: Requester, head: Head) -> None:
        transport = exchange.peer.transport
        if transport is not None:
            head.change((), lines(transport))

    def describe(self) -> str:
        return "the client's certificate in the fields X-SSL-Client-*"


def lines(transport: Transport) -> bytes:
    """The fields for the client of a connection, made once for each connection."""
    tls = transport.get_extra_info("tls")
    if tls is None:
        return b""
    made: bytes | None = getattr(tls, "told", None)
    if made is None:
        made = tls.told = _lines(tls)
    return made


def _lines(tls: ssl.SSLObject) -> bytes:
    about = tls.getpeercert()
    whole = tls.getpeercert(binary_form=True)
    if not about or whole is None:
        return b"X-SSL-Client-Verify: NONE\r\n"
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ssl.cert_time_to_seconds(str(about["notAfter"]))))
    values = ("SUCCESS", name(cast(Name, about["subject"])), name(cast(Name, about["issuer"])), about["serialNumber"],
              ends, hashlib.sha256(whole).hexdigest())
    titles = (field.decode().title().replace("Ssl", "SSL").replace("Sha", "SHA") for field in FIELDS)
    return "".join(f"{title}: {value}\r\n" for title, value in zip(titles, values, strict=True)).encode()


def name(parts: Name) -> str:
    """A distinguished name as text (RFC 4514), the most particular part first. Whatever the certificate says, it is
    one line of ASCII."""
    return ",".join("+".join(f"{SHORT.get(kind, kind)}={_escaped(value)}" for kind, value in part)
                    for part in reversed(parts))


def _escaped(value: str) -> str:
    text = "".join("\\" + letter if letter in SPECIAL else letter if " " <= letter <= "~" else
                   "".join(f"\\{byte:02X}" for byte in letter.encode("utf-8", "replace")) for letter in value)
    if text[:1] in (" ", "#"):
        text = "\\" + text
    return text[:-1] + "\\ " if text.endswith(" ") and len(text) > 1 else text

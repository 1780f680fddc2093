"""The chain of a certificate: faults that OpenSSL lets pass and clients do not (RFC 5246 7.4.2:
each certificate must certify the one before it)."""

import itertools
import ssl
import time
from collections.abc import Sequence
from functools import cache

from lbd.tls.certificate import facts_of_all
from lbd.tls.pem import CertificateFacts, DistinguishedName, common_name, same_name


def faults(pem: bytes, now: float) -> list[str]:
    """The faults of the certificates of a PEM file, of which the first is the server's, as ends of a sentence that
    begins with the file. `now`: Unix time. Raises `ValueError` for a certificate that cannot be read."""
    chain = facts_of_all(pem)
    found = expired(pem, now)
    for place, (before, about) in enumerate(itertools.pairwise(chain), 2):
        if same_name(about.subject, before.issuer):
            if selfsigned(about):
                found.append(f"sends the root {_shown(about.subject)} too (certificate {place}): clients that believe "
                             "it have it; leave it out")
        elif any(same_name(other.subject, before.issuer) for other in chain):
            found.append(f"has its chain in the wrong order: certificate {place}, {_shown(about.subject)}, stands "
                         f"where {_shown(before.issuer)} must; each must certify the one before it")
            break
        else:
            found.append(f"lacks {_shown(before.issuer)}, which certifies its certificate {place - 1}: "
                         f"{_shown(about.subject)}, which follows there, does not")
            break
    return found


def unfinished(pem: bytes, others: Sequence[CertificateFacts] = ()) -> str:
    """The warning, as the end of such a sentence, that an intermediate authority may be missing at the end of a chain
    without gaps; "" where the issuer of the last certificate is a root that the system knows or one of `others`."""
    chain = facts_of_all(pem)
    for before, about in itertools.pairwise(chain):
        if not same_name(about.subject, before.issuer):
            return ""
    if not chain or selfsigned(chain[-1]):
        return ""
    issuer = chain[-1].issuer
    for known in (*others, *_system()):
        if same_name(known.subject, issuer):
            return "" if selfsigned(known) else (f"lacks the intermediate {_shown(issuer)}, which certifies its last "
                                                 "certificate; add it at the end")
    return (f"ends with a certificate of {_shown(issuer)}, which is no root that this machine knows: if it is an "
            "intermediate authority, add its certificate at the end")


def expired(pem: bytes, now: float) -> list[str]:
    """The certificates of a PEM file that are not valid at this Unix time, as ends of such a sentence."""
    return [fault for place, about in enumerate(facts_of_all(pem)) for fault in _times(about, place, now)]


def selfsigned(about: CertificateFacts) -> bool:
    """Whether a certificate names itself as its issuer, as roots do."""
    return same_name(about.subject, about.issuer)


def _times(about: CertificateFacts, place: int, now: float) -> list[str]:
    which = f"holds a certificate (number {place + 1}, {_shown(about.subject)}) that"
    if about.ends < now:
        return [f"{which} expired on {_day(about.ends)}"]
    if about.begins > now:
        return [f"{which} is not valid before {_day(about.begins)}"]
    return []


@cache
def _system() -> tuple[CertificateFacts, ...]:
    """The system's authorities."""
    context = ssl.create_default_context()
    found = []
    for der in context.get_ca_certs(binary_form=True):
        found += facts_of_all(ssl.DER_cert_to_PEM_cert(der).encode())
    return tuple(found)


def _shown(name: DistinguishedName) -> str:
    return '"' + "".join(letter if letter.isprintable() else "?" for letter in common_name(name)[:100]) + '"'


def _day(moment: int) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(moment))

"""Whom a command believes that asks a daemon over TLS, and what it shows of itself."""

import ssl
from pathlib import Path

from lbd.errors import LbdError

END = "-----END CERTIFICATE-----\n"


def context(ca: str = "", cert: str = "", own: str = "") -> ssl.SSLContext:
    """For a daemon whose certificate is of an authority in the file `ca` (default: the system's). Where `own` names
    the daemon's own file, it is that very certificate, under whatever name the daemon is reached. `cert` is a file
    with a certificate and its key, to be shown to the daemon. Raises `LbdError`."""
    made = ssl.create_default_context()
    named, file = "--admin-ca", ca
    try:
        if ca:
            made = ssl.create_default_context(cafile=ca)
        elif own:
            named, file = "admin.tls.cert", own
            made = _only(Path(own).read_text("ascii", "replace"))
        named, file = "--admin-cert", cert
        if cert:
            made.load_cert_chain(cert)
    except ssl.SSLError as error:
        raise LbdError(f"{named}: {file} holds no {'certificate and key' if file == cert else 'certificate'} in PEM "
                       f"form ({error.reason or error})") from None
    except OSError as error:
        raise LbdError(f"{named}: cannot read {file}: {error.strerror}") from None
    return made


def _only(text: str) -> ssl.SSLContext:
    """Believes the first certificate in the text, and not who signed it."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    first, end, _ = text.partition(END)
    made.load_verify_locations(cadata=first[first.find("-----BEGIN CERTIFICATE"):] + end)
    return made

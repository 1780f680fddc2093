"""TLS of the connection to a daemon: the trusted certificates, and the client certificate."""

import ssl
from pathlib import Path

from lbd.errors import LbdError

END = "-----END CERTIFICATE-----\n"


def daemon_context(ca: str = "", cert: str = "", own: str = "") -> ssl.SSLContext:
    """A client context that trusts the authorities in the file `ca` (default: those of the system). If `own` names the
    certificate file of the daemon, exactly that certificate is trusted, for any host name. `cert` is a file with the
    client certificate and its key. Raises `LbdError`."""
    made = ssl.create_default_context()
    named, file = "--admin-ca", ca
    try:
        if ca:
            made = ssl.create_default_context(cafile=ca)
        elif own:
            named, file = "admin.tls.cert", own
            made = _pinned_context(Path(own).read_text("ascii", "replace"))
        named, file = "--admin-cert", cert
        if cert:
            made.load_cert_chain(cert)
    except ssl.SSLError as error:
        raise LbdError(f"{named}: {file} holds no {'certificate and key' if file == cert else 'certificate'} in PEM "
                       f"form ({error.reason or error})") from None
    except OSError as error:
        raise LbdError(f"{named}: cannot read {file}: {error.strerror}") from None
    return made


def _pinned_context(text: str) -> ssl.SSLContext:
    """A context that trusts the first certificate in the text, but not its issuer."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    first, end, _ = text.partition(END)
    made.load_verify_locations(cadata=first[first.find("-----BEGIN CERTIFICATE"):] + end)
    return made

"""The check `tls`: a TLS handshake succeeds, with a certificate that is believed where that is asked for."""

import asyncio
import os
import ssl
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from lbd.errors import shortage
from lbd.health.check import Result, Subject, words
from lbd.health.dial import dial
from lbd.schema import key
from lbd.schema import units as u


@dataclass(frozen=True, slots=True)
class TlsOptions:
    """The keys of a policy with `type = "tls"`."""

    verify: bool = key(False, u.BOOL, "the certificate must be valid, and for `server_name` or the address")
    server_name: str | None = key(None, u.HOST, "name to ask for (SNI); default: none", example="app.example.com")
    ca_file: str | None = key(None, u.FILE, "PEM file of the authorities to believe; default: the system's",
                              example="/etc/lbd/ca.pem")


async def check(subject: Subject, options: TlsOptions, timeout: float) -> Result:
    """Connect and shake hands, all within `timeout` seconds, and close again."""
    loop = asyncio.get_running_loop()
    address = subject.address
    started = loop.time()
    transport: Any   # uvloop's inherits nothing of asyncio's
    try:
        context = _context(options.verify, options.ca_file, _changed(options.ca_file))
        # "" asks for no name and checks none: uvloop and asyncio want one, as a name or as no name.
        name = (options.server_name or (address.host if options.verify else "")).removesuffix(".")
        async with asyncio.timeout(timeout):
            secured: dict[str, Any] = {} if subject.greeting else {"ssl": context, "server_hostname": name}
            transport, protocol = await dial(asyncio.Protocol, subject.reached, **secured)
            if subject.greeting:
                transport.write(subject.greeting)
                transport = await loop.start_tls(transport, protocol, context, server_hostname=name)
    except (OSError, TimeoutError, ValueError) as error:
        if shortage(error):
            raise
        return Result(False, f"TLS handshake: {words(error)}", loop.time() - started)
    seconds = loop.time() - started
    connection = transport.get_extra_info("ssl_object")
    transport.abort()
    return Result(True, f"TLS handshake: {connection.version() if connection is not None else 'done'}", seconds)


def _changed(file: str | None) -> int:
    return os.stat(file).st_mtime_ns if file is not None else 0


@lru_cache(64)  # the system's authorities take 20 ms to read
def _context(verify: bool, ca_file: str | None, _changed: int) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=ca_file) if verify else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context

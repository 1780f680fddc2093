"""The materials of a generation that are on the disk: what the files of TLS hold, and the key of sticky cookies."""

from typing import NamedTuple

from lbd.backend.snapshot import Generation
from lbd.generation.certificates import Certificates, TlsFindings, places
from lbd.generation.secret import sticky_secret
from lbd.net.offload import Offload
from lbd.schema import Config
from lbd.tls.credentials import Credentials, Place


class Material(NamedTuple):
    """The key of sticky cookies (b"" where none is needed), and the credentials of listeners and backends."""

    secret: bytes
    credentials: dict[Place, Credentials]


class Materials:
    """Reads them off the loop, so that a disk that hangs costs only what needs to be read."""

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates
        self._reading = Offload("reading the files of TLS and the key of sticky cookies")

    async def read(self, config: Config, directory: str) -> Material:
        """As the disk has them now; `directory` is state_dir. Raises `LbdError`."""
        findings, secret = await self._reading.run(self._look, config, directory)
        return Material(secret, self._certificates.take(findings))

    async def complete(self, old: Generation, config: Config, directory: str) -> Material:
        """Those of the generation in force, unless the same files with other servers need more. Raises `LbdError`."""
        if set(places(config)) <= old.credentials.keys():
            return Material(old.secret, dict(old.credentials))
        return await self.read(config, directory)

    def _look(self, config: Config, directory: str) -> tuple[TlsFindings, bytes]:
        return self._certificates.look(config), sticky_secret(config, directory)

"""The materials of a generation that are on the disk: the credentials of TLS, and the key of sticky cookies."""

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
    """Reads them off the loop, so that a disk that hangs holds up only the changes that need it.

    `state_dir` is the directory of the key ("": none is kept), set once by the start.
    """

    def __init__(self, certificates: Certificates) -> None:
        self.certificates = certificates
        self.state_dir = ""
        self._reading = Offload("reading the files of TLS and the key of sticky cookies")

    async def read_material(self, config: Config) -> Material:
        """The material as the disk has it now. Raises `LbdError`."""
        findings, secret = await self._reading.run(self._read, config, self.state_dir)
        return Material(secret, self.certificates.accept_findings(findings))

    async def complete_material(self, old: Generation, config: Config) -> Material:
        """The material in force, unless the same files with other servers need more. Raises `LbdError`."""
        if set(places(config)) <= old.credentials.keys():
            return Material(old.secret, dict(old.credentials))
        return await self.read_material(config)

    def _read(self, config: Config, state_dir: str) -> tuple[TlsFindings, bytes]:
        return self.certificates.read_files(config), sticky_secret(config, state_dir)

"""Certificates for tests: an authority of their own, and what it signs."""

import datetime
import ipaddress
import socket
import ssl
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

LIMIT = 20.0     # seconds for a handshake
PEM, CLEAR = serialization.Encoding.PEM, serialization.NoEncryption()


class Authority:
    """Signs certificates, which it writes into a directory; `file` is its own."""

    def __init__(self, directory: Path, name: str = "authority") -> None:
        self.directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        self.file = directory / f"{name}.pem"
        self._certify(self._name, self._key)

    def authority(self, name: str, days: tuple[float, float] = (-1.0, 30.0)) -> "Authority":
        """Another, below this one."""
        made = Authority(self.directory, name)
        made._certify(self._name, self._key, days)
        return made

    def _certify(self, issuer: x509.Name, key: ec.EllipticCurvePrivateKey,
                 days: tuple[float, float] = (-1.0, 30.0)) -> None:
        made = _builder(self._name, issuer, self._key, days).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(key, hashes.SHA256())
        self.file.write_bytes(made.public_bytes(PEM))

    def issue(self, file: str, *names: str, days: tuple[float, float] = (-1.0, 30.0), common: str = "test",
              alternative: bool = True, split: bool = False, old: bool = False) -> Path:
        """Write a certificate for these names with its key into one file (`split`: the key into FILE.key; `old`: it is
        of RSA, not of P-256)."""
        key = rsa.generate_private_key(65537, 2048) if old else ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_named(common), self._name, key, days)
        if alternative:
            builder = builder.add_extension(x509.SubjectAlternativeName(_alternatives(names)), critical=False)
        made = builder.sign(self._key, hashes.SHA256()).public_bytes(PEM)
        private = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, CLEAR)
        path = self.directory / file
        temporary = path.with_suffix(".new")
        temporary.write_bytes(made if split else made + private)
        if split:
            path.with_suffix(".key").write_bytes(private)
        temporary.rename(path)
        return path


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
             days: tuple[float, float]) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    begins, ends = (now + datetime.timedelta(days=number) for number in days)
    return (x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends))


def _named(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests, Inc."),
                      x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _alternatives(names: Sequence[str]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def shake(client: ssl.SSLContext, server: ssl.SSLContext, name: str | None) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Both ends after a handshake in memory, in which the client asked for that name."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    near = client.wrap_bio(back, there, server_hostname=name)
    far = server.wrap_bio(there, back, server_side=True)
    for step in (near, far, near, far, near):
        try:
            step.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return near, far


def asked(context: ssl.SSLContext, *options: str) -> str:
    """Output of `openssl s_client` about a server with this context."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(LIMIT)

        def serve() -> None:
            sock, _ = listening.accept()
            sock.settimeout(LIMIT)
            try:
                context.wrap_socket(sock, server_side=True).close()
            except OSError:
                sock.close()

        server = threading.Thread(target=serve)
        server.start()
        command = ["openssl", "s_client", "-connect", "127.0.0.1:{1}".format(*listening.getsockname()), *options]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT,
                              check=False)
        server.join()
    return done.stdout + done.stderr

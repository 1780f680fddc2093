"""An authority that makes certificates for tests, by openssl."""

import subprocess
from pathlib import Path

import pytest

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """An authority with its files in a directory; `ca` is its own certificate."""

    def __init__(self, directory: Path, name: str = "authority") -> None:
        self._directory = directory
        self._name = name
        self.ca = str(directory / f"{name}.pem")
        self._key = str(directory / f"{name}.key")
        _openssl("req", "-x509", *KEY, "-days", "2", "-subj", f"/CN={name}", "-keyout", self._key, "-out", self.ca)

    def certificate(self, name: str, *alternatives: str) -> str:
        """A PEM file with a certificate of that common name and its key; `alternatives` like `IP:127.0.0.1`."""
        base = self._directory / f"{self._name}-{name}"
        key, wish, cert, more = (f"{base}.{ending}" for ending in ("key", "csr", "crt", "ext"))
        Path(more).write_text(f"subjectAltName={','.join(alternatives or [f'DNS:{name}'])}\n")
        _openssl("req", *KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", wish)
        _openssl("x509", "-req", "-in", wish, "-CA", self.ca, "-CAkey", self._key, "-CAcreateserial", "-days", "2",
                 "-extfile", more, "-out", cert)
        both = Path(f"{base}.pem")
        both.write_text(Path(cert).read_text() + Path(key).read_text())
        return str(both)


def _openssl(*words: str) -> None:
    try:
        done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("openssl is missing")
    if done.returncode:
        pytest.skip(f"openssl cannot make a certificate here: {done.stderr}")

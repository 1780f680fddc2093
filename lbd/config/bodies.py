"""The bodies of `[errors]`: read with the configuration, so that a changed file is a changed configuration."""

import hashlib
from collections.abc import Iterator, Mapping

from lbd.config.document import DocumentError, fetch
from lbd.config.findings import Findings
from lbd.wording import shown

# The statuses that lbd answers with by itself.
OWN_STATUSES = ("400", "404", "405", "408", "413", "414", "421", "429", "431", "500", "501", "502", "503", "504")
LARGEST = 2**20  # bytes of a file of [errors]: workers keep it in memory


def bodies(files: Mapping[str, str], findings: Findings) -> dict[str, bytes]:
    """The contents of the files, by status. A file for a status that lbd never answers, or that cannot be read or is
    too large, becomes an error."""
    found: dict[str, bytes] = {}
    for status, file in files.items():
        path = ("errors", status)
        if status not in OWN_STATUSES:
            findings.error(path, f"lbd never answers {status} by itself; must be one of {', '.join(OWN_STATUSES)}")
            continue
        try:
            content = fetch(file)
        except DocumentError as error:
            findings.error(path, f"{shown(file)} {error}")
            continue
        if len(content) > LARGEST:
            findings.error(path, f"{shown(file)} is larger than {LARGEST // 2**20} MiB")
        else:
            found[status] = content
    return found


def changed(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> Iterator[tuple[str, str, str]]:
    """The statuses whose bodies differ, with the old and the new body in a few words."""
    for status, body in new.items():
        if status in old and old[status] != body:
            yield status, _about(old[status]), _about(body)


def _about(body: bytes) -> str:
    return f"{len(body)} bytes {hashlib.blake2b(body, digest_size=4).hexdigest()}"

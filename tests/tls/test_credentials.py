"""Tests of lbd.tls.credentials: they travel to workers, and nothing of them is shown."""

import pickle

from lbd.tls.credentials import Credentials
from lbd.tls.pem import CertificateFacts, Pem


def test_they_travel_and_are_not_shown() -> None:
    facts = CertificateFacts(("a",), 0, 1, "", (), ())
    made = Credentials((Pem("a.pem", b"chain", b"private", facts),), b"authorities", b"ticket keys", (b"der",))
    assert pickle.loads(pickle.dumps(made)) == made
    assert hash(made) == hash(pickle.loads(pickle.dumps(made)))
    assert not any(word in repr(made) for word in ("private", "ticket", "authorities"))

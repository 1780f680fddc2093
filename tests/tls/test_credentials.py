"""Tests of lbd.tls.credentials: they travel to workers, and nothing of them is shown."""

import pickle

from lbd.tls.certificate import Pem
from lbd.tls.credentials import Credentials


def test_they_travel_and_are_not_shown() -> None:
    made = Credentials((Pem("a.pem", b"chain", b"private"),), b"authorities", b"ticket keys")
    assert pickle.loads(pickle.dumps(made)) == made
    assert hash(made) == hash(pickle.loads(pickle.dumps(made)))
    assert not any(word in repr(made) for word in ("private", "ticket", "authorities"))

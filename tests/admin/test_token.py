"""The bearer tokens: how they are read, and what each of them may do."""

import hashlib

import pytest

from lbd.admin import app, token
from lbd.errors import LbdError

SECRET = "0123456789abcdef"
FILE = f"""# who may what
{SECRET}
read      reads-and-nothing-else

register:app,api registers-in-two-backends
operate sha256:{hashlib.sha256(b"only the hash is in the file").hexdigest()}
"""


@pytest.fixture
def tokens(tmp_path):
    path = tmp_path / "token"
    path.write_text(FILE)
    return token.read_tokens(str(path))


@pytest.mark.parametrize(("field", "wanted"), [
    (None, 401), ("", 401), (SECRET, 401), ("Basic " + SECRET, 401), ("Bearer x" + SECRET, 401),
    ("Bearer " + SECRET, 200), ("bearer  " + SECRET, 200)])
async def test_only_with_the_token(daemon, ask, tokens, field, wanted):
    headers = {"Host": "localhost"} | ({} if field is None else {"Authorization": field})
    status, answered, text = await ask(app.admin(daemon, tokens), "GET", "/v1/status", headers)
    assert status == wanted
    assert ("WWW-Authenticate" in answered) == (wanted == 401)
    assert SECRET not in text


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_needs_none(daemon, ask, tokens, path):
    assert (await ask(app.admin(daemon, tokens), "GET", path, {"Host": "127.0.0.1:8405"}))[0] == 200


def test_roles(tokens):
    everything, read, register, hashed = tokens
    assert [str(one) for one in tokens] == ["operate", "read", "register api,app", "operate"]
    asked = [("read", ""), ("read", "app"), ("register", "app"), ("register", "other"), ("operate", "app")]
    for one, wanted in ((everything, "11111"), (hashed, "11111"), (read, "11000"), (register, "01100")):
        assert "".join(str(int(one.permits(*what))) for what in asked) == wanted, one


def test_the_right_one_is_found(tokens):
    assert token.find_token("Bearer registers-in-two-backends", tokens) is tokens[2]
    assert token.find_token("Bearer only the hash is in the file", tokens) is tokens[3]
    assert token.find_token("Bearer " + "é" * 20, tokens) is None
    assert SECRET not in repr(tokens)


@pytest.mark.parametrize(("content", "words"), [
    ("", "holds no token"), ("# nothing\n", "holds no token"), ("short", "at least 16"),
    ("three words of-some-length", "has 3 words"), ("é" * 20, "ASCII"), ("admin " + SECRET, "the role must be"),
    ("register " + SECRET, "the role must be"), ("read:app " + SECRET, "the role must be"),
    ("register:a/b " + SECRET, "a backend has a character")])
def test_bad_tokens(tmp_path, content, words):
    path = tmp_path / "token"
    path.write_text(content)
    with pytest.raises(LbdError, match=rf"^admin\.token_file: .*{words}"):
        token.read_tokens(str(path))


def test_a_missing_file(tmp_path):
    with pytest.raises(LbdError, match=r"cannot read .*: No such file"):
        token.read_tokens(str(tmp_path / "none"))

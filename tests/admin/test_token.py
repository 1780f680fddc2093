"""The bearer token: how it is read and asked for."""

import pytest

from lbd.admin import app, token
from lbd.errors import LbdError

SECRET = "0123456789abcdef"


@pytest.mark.parametrize(("field", "wanted"), [
    (None, 401), ("", 401), (SECRET, 401), ("Basic " + SECRET, 401), ("Bearer x" + SECRET, 401),
    ("Bearer " + SECRET, 200), ("bearer  " + SECRET, 200)])
async def test_only_with_the_token(daemon, ask, field, wanted):
    headers = {} if field is None else {"Authorization": field}
    status, answered, text = await ask(app.admin(daemon, SECRET), "GET", "/v1/status", headers)
    assert status == wanted
    assert ("WWW-Authenticate" in answered) == (wanted == 401)
    assert SECRET not in text


@pytest.mark.parametrize("path", token.OPEN)
async def test_health_needs_none(daemon, ask, path):
    assert (await ask(app.admin(daemon, SECRET), "GET", path))[0] == 200


def test_read(tmp_path):
    path = tmp_path / "token"
    path.write_text(f" {SECRET}\n")
    assert token.read(str(path)) == SECRET


@pytest.mark.parametrize("content", ["", "short", "two words of some length", "é" * 20])
def test_bad_tokens(tmp_path, content):
    path = tmp_path / "token"
    path.write_text(content)
    with pytest.raises(LbdError, match=r"^admin\.token_file: .* must hold one"):
        token.read(str(path))


def test_a_missing_file(tmp_path):
    with pytest.raises(LbdError, match=r"cannot read .*: No such file"):
        token.read(str(tmp_path / "none"))

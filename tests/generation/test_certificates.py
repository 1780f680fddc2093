"""Tests of lbd.generation.certificates: files are read and judged; what is broken leaves the good one in force."""

from pathlib import Path

import pytest

from lbd import schema
from lbd.errors import LbdError
from lbd.generation import certificates
from lbd.generation.certificates import Certificates, files, shown
from lbd.generation.file_watch import fingerprint
from lbd.schema.tls import BackendTls, ListenerTls, Pair
from lbd.schema.units import Address
from tests.authority import Authority

PLACE = ("listeners", "web")


def config(*pairs: Pair, **more: object) -> schema.Config:
    tls = ListenerTls(certificates=pairs, **more)  # type: ignore[arg-type]
    return schema.Config(listeners={"web": schema.ListenerConfig(bind=(), tls=tls),
                                    "plain": schema.ListenerConfig(bind=())})


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def test_patterns_and_pairs(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "certs").mkdir()
    for name in ("b", "a"):
        authority.issue(f"certs/{name}.pem", f"{name}.example.com")
    split = authority.issue("c.crt", "c.example.com", split=True)
    wanted = config(Pair(str(tmp_path / "certs/*.pem")), Pair(str(split), str(tmp_path / "c.key")))
    found = Certificates().read_all(wanted)
    assert list(found) == [PLACE]
    assert [one.names for one in shown(found)] == [("a.example.com",), ("b.example.com",), ("c.example.com",)]
    assert files(wanted) == [str(tmp_path / "certs/*.pem"), str(tmp_path / "certs/*.key"),
                             str(tmp_path / "certs/*.pem.key"), str(split), str(tmp_path / "c.key")]


@pytest.mark.parametrize("pattern", ["certs/*.pem", "certs/*", "certs/a.pem"])
@pytest.mark.parametrize("name", ["a.key", "a.pem.key"])
def test_keys_in_files_beside_their_certificates(authority: Authority, tmp_path: Path, pattern: str,
                                                 name: str) -> None:
    (tmp_path / "certs").mkdir()
    authority.issue("certs/a.pem", "a.example.com", split=True)
    (tmp_path / "certs/a.key").rename(tmp_path / "certs" / name)
    if "*" in pattern:
        authority.issue("certs/b.pem", "b.example.com")
    made, wanted = Certificates(), config(Pair(str(tmp_path / pattern)))
    names = [("a.example.com",), ("b.example.com",)][:2 if "*" in pattern else 1]
    assert [one.names for one in shown(made.read_all(wanted))] == names
    authority.issue("certs/a.pem", "new.example.com", split=True)
    (tmp_path / "certs/a.key").replace(tmp_path / "certs" / name)
    assert next(shown(made.read_all(wanted))).names == ("new.example.com",)
    assert made.refused == {}
    assert {str(tmp_path / "certs" / name)} <= {path for path, *_ in fingerprint(files(wanted))}
    (tmp_path / "certs" / name).unlink()
    with pytest.raises(LbdError, match=r"a\.pem: it holds no private key .*put its key into a file beside it"):
        Certificates().read_all(wanted)


def test_a_broken_file_leaves_what_was_good(authority: Authority, tmp_path: Path) -> None:
    path = authority.issue("a.pem", "a.example.com")
    wanted, made = config(Pair(str(path))), Certificates()
    first = made.read_all(wanted)
    assert made.read_all(wanted) == first
    path.write_text("rubbish")
    assert made.read_all(wanted) == first
    assert made.refused == {PLACE: f"certificates: {path}: it holds no certificate (-----BEGIN CERTIFICATE-----)"}
    path.unlink()
    assert made.read_all(wanted) == first
    assert made.refused == {PLACE: f"certificates: cannot read {path}: No such file or directory"}
    authority.issue("a.pem", "a.example.com")
    assert made.read_all(wanted) != first
    assert made.refused == {}


def test_a_first_time_must_be_good(tmp_path: Path) -> None:
    with pytest.raises(LbdError, match=r"^listeners\.web\.tls\.certificates: cannot read .*none\.pem: No such file"):
        Certificates().read_all(config(Pair(str(tmp_path / "none.pem"))))
    with pytest.raises(LbdError, match=r"no file matches .*\*\.pem"):
        Certificates().read_all(config(Pair(str(tmp_path / "*.pem"))))
    (tmp_path / "rubbish.pem").write_text("rubbish")
    backend = schema.BackendConfig(servers={"a": schema.ServerConfig(address=Address("a.example.com", 443, tls=True))},
                                   tls=BackendTls(certificate=Pair(str(tmp_path / "rubbish.pem"))))
    with pytest.raises(LbdError, match=r"^backends\.app\.tls\.certificate: .*rubbish\.pem: it holds no certificate"):
        Certificates().read_all(schema.Config(backends={"app": backend}))


def test_other_settings_are_not_served_by_old_files(authority: Authority, tmp_path: Path) -> None:
    made = Certificates()
    made.read_all(config(Pair(str(authority.issue("a.pem", "a.example.com")))))
    with pytest.raises(LbdError, match="cannot read"):
        made.read_all(config(Pair(str(tmp_path / "b.pem"))))


def test_a_session_is_good_for_its_own_listener_and_policy_only(authority: Authority) -> None:
    pair = Pair(str(authority.issue("a.pem", "a.example.com")))
    made, ca = Certificates(), str(authority.file)
    keys = {made.read_all(wanted)[PLACE].keys for wanted in (
        config(pair), config(pair, client_ca=ca), config(pair, client_ca=ca, verify="optional"),
        config(pair, client_ca=ca, partial_chain=True))}
    assert len(keys) == 4
    assert Certificates().read_all(config(pair))[PLACE].keys not in keys


def test_keys_of_tickets_change_with_time(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    made, wanted = Certificates(), config(Pair(str(authority.issue("a.pem", "a.example.com"))))
    before = made.read_all(wanted)[PLACE].keys
    assert not made.rotate()
    monkeypatch.setattr(certificates, "ROTATION", -1)
    assert made.rotate()
    assert made.read_all(wanted)[PLACE].keys != before


def test_a_file_beyond_all_bounds(tmp_path: Path) -> None:
    (tmp_path / "big.pem").write_bytes(bytes(certificates.LARGEST + 1))
    with pytest.raises(LbdError, match="larger than 1 MiB"):
        Certificates().read_all(config(Pair(str(tmp_path / "big.pem"))))


def test_what_ends_soon_is_said_once_a_day(authority: Authority, capsys: pytest.CaptureFixture[str]) -> None:
    made = Certificates()
    wanted = config(*(Pair(str(authority.issue(f"{days}.pem", f"a{days}.example.com", days=(-30, days))))
                      for days in (-1, 5, 100)))
    ends = [one.ends for one in shown(made.read_all(wanted))]
    now = ends[1] - 5 * 86400
    for moment in (now, now + 3600, now + 86400):
        made.warn(shown(made.read_all(wanted)), moment)
    said = capsys.readouterr()
    text = said.out + said.err
    assert text.count("certificate expires soon") == 2
    assert text.count("certificate has expired") == 2
    assert "a100.example.com" not in text


def test_what_did_not_change_is_not_read_again(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    """After root is given up a key may be out of reach: that is no reason to complain."""
    made, wanted = Certificates(), config(Pair(str(authority.issue("a.pem", "a.example.com"))))
    first = made.read_all(wanted)

    def denied(path: str, key: str) -> bytes:
        raise LbdError(f"cannot read {path}: Permission denied")

    monkeypatch.setattr(certificates, "_fetch", denied)
    assert made.read_all(wanted) == first
    assert made.refused == {}
    authority.issue("a.pem", "a.example.com")
    assert made.read_all(wanted) == first
    assert "Permission denied" in made.refused[PLACE]
    made.read_all(wanted)
    assert "Permission denied" in made.refused[PLACE]


def test_checks_of_many_backends_keep_their_contexts(tmp_path: Path) -> None:
    """A context that is made anew costs time, and looks like another way to check."""
    address = Address("10.0.0.1", 443)
    backends = {f"app{number}": schema.BackendConfig(servers={"a": schema.ServerConfig(address=address)},
                                                     tls=BackendTls(ca=str(Authority(tmp_path, f"ca{number}").file)))
                for number in range(70)}
    made = Certificates()
    made.read_all(schema.Config(backends=backends))
    first, second = ([made.client_tls(name, backend, address, "a.test") for name, backend in backends.items()]
                     for _ in range(2))
    assert [one and id(one[0]) for one in first] == [one and id(one[0]) for one in second]

"""Tests of lbd.tls.chain: chains in any order, with gaps and roots, and certificates out of their time."""

import time
from pathlib import Path

import pytest

from lbd.tls.certificate import facts_of_all
from lbd.tls.chain import expired, faults, unfinished
from tests.authority import Authority


@pytest.fixture
def parts(tmp_path: Path) -> dict[str, bytes]:
    """A root, an intermediate below it, another below that, a leaf of the last, and a leaf of the root."""
    root = Authority(tmp_path, "Root")
    upper = root.authority("Upper")
    lower = upper.authority("Lower")
    leaf, plain = lower.issue("leaf.pem", "a.test", common="Leaf"), root.issue("plain.pem", "b.test", common="Plain")
    files = {"root": root.file, "upper": upper.file, "lower": lower.file, "leaf": leaf, "plain": plain}
    return {name: file.read_bytes() for name, file in files.items()}


@pytest.mark.parametrize(("order", "fault"), [
    ("leaf lower upper", ""),
    ("plain", ""),
    ("root", ""),
    ("leaf upper lower", 'has its chain in the wrong order: certificate 2, "Upper", stands where "Lower" must'),
    ("leaf lower root upper", 'has its chain in the wrong order: certificate 3, "Root", stands where "Upper" must'),
    ("leaf upper", 'lacks "Lower", which certifies its certificate 1: "Upper", which follows there, does not'),
    ("leaf leaf lower upper", 'has its chain in the wrong order: certificate 2, "Leaf"'),
    ("leaf lower upper root", 'sends the root "Root" too (certificate 4)'),
    ("plain root", 'sends the root "Root" too (certificate 2)'),
])
def test_the_order(parts: dict[str, bytes], order: str, fault: str) -> None:
    found = faults(b"".join(parts[name] for name in order.split()), time.time())
    assert len(found) == bool(fault)
    assert "".join(found).startswith(fault)


@pytest.mark.parametrize(("order", "known", "fault"), [
    ("leaf lower upper", "root", ""),
    ("leaf lower upper", "", 'ends with a certificate of "Root", which is no root that this machine knows'),
    ("leaf lower", "root upper", 'lacks the intermediate "Upper", which certifies its last certificate'),
    ("leaf lower", "root", 'ends with a certificate of "Upper", which is no root'),
    ("leaf", "", 'ends with a certificate of "Lower"'),
    ("root", "", ""),
    ("leaf upper", "", ""),         # the gap is said already
])
def test_what_may_be_missing_at_the_end(parts: dict[str, bytes], order: str, known: str, fault: str) -> None:
    others = facts_of_all(b"".join(parts[name] for name in known.split()))
    found = unfinished(b"".join(parts[name] for name in order.split()), others)
    assert found.startswith(fault)
    assert bool(found) is bool(fault)


def test_roots_of_the_system_are_known(parts: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lbd.tls.chain._system", lambda: tuple(facts_of_all(parts["root"])))
    assert unfinished(parts["plain"]) == ""


def test_certificates_out_of_their_time(tmp_path: Path) -> None:
    root = Authority(tmp_path, "Root")
    old, new = root.authority("Old", days=(-9, -2)), root.issue("new.pem", "a", days=(3, 9), common="New").read_bytes()
    text = faults(old.issue("a.pem", "a", common="Leaf").read_bytes() + old.file.read_bytes(), time.time())
    day = time.strftime("%Y-%m-%d", time.gmtime(facts_of_all(old.file.read_bytes())[0].ends))
    assert text == [f'holds a certificate (number 2, "Old") that expired on {day}']
    day = time.strftime("%Y-%m-%d", time.gmtime(facts_of_all(new)[0].begins))
    assert expired(new, time.time()) == [f'holds a certificate (number 1, "New") that is not valid before {day}']

"""The kernels of a checkout that was built are compiled."""

from lbd.report import kernels


def test_how_they_were_built(monkeypatch):
    assert kernels.build_of_kernels() == "compiled"
    monkeypatch.setattr(kernels.head, "__file__", "head.py")
    assert kernels.build_of_kernels() == "not compiled"

"""Tests of lbd.installation: a file that was written anew, moved or taken away is another version."""

import os

import pytest

from lbd import installation


@pytest.fixture
def package(tmp_path, monkeypatch):
    file = tmp_path / "__init__.py"
    file.write_text("1")
    monkeypatch.setattr(installation, "package", str(file))
    monkeypatch.setattr(installation, "_started", installation._marks())
    return file


def test_the_same_one(package):
    assert not installation.replaced()


def test_another_one(package):
    new = package.with_name("new")
    new.write_text("2")
    os.replace(new, package)
    assert installation.replaced()


def test_none(package):
    package.unlink()
    assert installation.replaced()

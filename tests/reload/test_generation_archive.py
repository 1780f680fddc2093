"""The archive: a disk that fails costs the way back and nothing else."""

import pytest

from lbd.errors import LbdError
from lbd.reload.generation_archive import GenerationArchive
from lbd.reload.history import History
from lbd.schema import Config, Global


async def test_nothing_is_kept_before_it_is_open():
    archive = GenerationArchive()
    archive.require_rollback()
    await archive.keep(Config())
    await archive.step_back()
    with pytest.raises(LbdError, match="still starting"):
        await archive.previous()


async def test_the_generation_before(tmp_path):
    archive = GenerationArchive()
    archive.open(History(str(tmp_path)))
    await archive.keep(Config())
    with pytest.raises(LbdError, match="no earlier generation"):
        await archive.previous()
    await archive.keep(Config(global_=Global(workers=2)))
    first = await archive.previous()
    await archive.step_back()
    await archive.keep(Config(global_=Global(workers=3)))
    assert await archive.previous() == first


async def test_a_disk_that_fails_is_no_failure_of_the_reload(tmp_path):
    class Failing(History):
        def keep(self, config):
            raise OSError(30, "Read-only file system")

    archive = GenerationArchive()
    archive.open(Failing(str(tmp_path)))
    await archive.keep(Config())


def test_without_a_directory_there_is_no_way_back():
    archive = GenerationArchive()
    archive.open(History(""))
    with pytest.raises(LbdError, match="no way back"):
        archive.require_rollback()

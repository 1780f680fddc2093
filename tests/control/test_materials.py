"""What a generation needs from the disk."""

from lbd.config.schema import Config
from lbd.control.certificates import Certificates
from lbd.control.materials import Material, Materials


async def test_nothing_is_needed_of_a_plain_configuration(tmp_path):
    assert await Materials(Certificates()).read(Config(), str(tmp_path)) == Material(b"", {})

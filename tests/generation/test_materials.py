"""The materials that a generation needs from the disk."""

from types import SimpleNamespace

from lbd.generation.certificates import Certificates
from lbd.generation.materials import Material, Materials
from lbd.schema import BackendConfig, Config, ServerConfig
from lbd.schema.units import Address
from lbd.tls.credentials import Credentials


async def test_other_servers_need_nothing_of_the_disk_again(tmp_path):
    made = Materials(Certificates())
    made.state_dir = str(tmp_path)
    old = SimpleNamespace(secret=b"a key", credentials={("listeners", "web"): Credentials()})
    assert await made.complete_material(old, Config()) == Material(b"a key", old.credentials)
    secure = BackendConfig(servers={"a": ServerConfig(Address("10.0.0.1", 443, tls=True))})
    more = await made.complete_material(old, Config(backends={"app": secure}))
    assert list(more.credentials) == [("backends", "app")]


async def test_nothing_is_needed_of_a_plain_configuration():
    assert await Materials(Certificates()).read_material(Config()) == Material(b"", {})

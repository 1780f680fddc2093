"""Every value with its origin."""

import pytest

from lbd.balance import ALGORITHMS
from lbd.config.origins import settings
from lbd.config.reader import read_file
from lbd.health import CHECKS

TEXT = """[timeouts]
connect = "2s"
[global]
sticky_secret = "not to be shown here"
[listeners.web]
bind = "127.0.0.1:1"
backend = "app"
[backends.app]
algorithm = "first"
health = { type = "tcp", interval = "1s" }
timeouts = { server = "9s" }
registration = true
[backends.app.servers]
a = "127.0.0.1:2"
b = { address = "127.0.0.1:3", weight = 4 }
"""


@pytest.fixture
def found(tmp_path):
    file = tmp_path / "lbd.toml"
    file.write_text(TEXT)
    loaded = read_file(str(file), ALGORITHMS, CHECKS)
    return {one.key: (one.value, one.origin.replace(str(tmp_path) + "/", ""))
            for one in settings(loaded.config, loaded.places)}


@pytest.mark.parametrize(("key", "value", "origin"), [
    ("timeouts.connect", "2s", "lbd.toml:2"), ("timeouts.queue", "5s", "default"),
    ("backends.app.timeouts.connect", "2s", "lbd.toml:2"), ("backends.app.timeouts.server", "9s", "lbd.toml:11"),
    ("backends.app.algorithm", "first", "lbd.toml:9"), ("backends.app.health.interval", "1s", "lbd.toml:10"),
    ("backends.app.health.timeout", "1s", "default"), ("backends.app.servers.a.address", "127.0.0.1:2", "lbd.toml:14"),
    ("backends.app.servers.a.weight", 1, "default"), ("backends.app.servers.b.weight", 4, "lbd.toml:15"),
    ("backends.app.registration.most", 1000, "default"), ("global.sticky_secret", "(hidden)", "lbd.toml:4"),
    ("listeners.web.bind", ["127.0.0.1:1"], "lbd.toml:6"), ("log.level", "info", "default")])
def test_origins(found, key, value, origin):
    assert found[key] == (value, origin)

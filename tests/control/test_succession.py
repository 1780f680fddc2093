"""The succession: the files that the next version needs."""

from lbd.control.succession import start_files
from lbd.schema import Admin, AdminTls, Config, ListenerConfig, ListenerTls
from lbd.schema.tls import Pair


def test_the_files_that_a_start_reads(tmp_path):
    for name in ("a.pem", "b.pem", "admin.pem", "token"):
        (tmp_path / name).touch()
    tls = ListenerTls(certificates=(Pair(f"{tmp_path}/*.pem", ""), Pair("/none.pem", "/none.key")))
    admin = Admin(token_file=f"{tmp_path}/token", tls=AdminTls(cert=f"{tmp_path}/admin.pem"))
    found = start_files(Config(listeners={"web": ListenerConfig(bind=(), tls=tls)}, admin=admin))
    assert [path.removeprefix(str(tmp_path)) for path in found] == [
        "/a.pem", "/admin.pem", "/b.pem", "/none.pem", "/none.key", "/token", "/admin.pem"]

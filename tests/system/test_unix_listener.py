"""A listener on a Unix socket, in a daemon whose umask keeps everybody else out."""

import json
import os
import stat

import pytest
from lbd_process import Lbd, Unix, ask
from origin import Origin

CLOSED = ("sh", "-c", 'umask 077; exec "$@"', "sh")


def text(path, more=""):
    return f'[listeners.web]\nbind = "unix:{path}"\n{more}\n[[listeners.web.routes]]\nrespond = {{ body = "here" }}\n'


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


def test_its_mode_is_that_of_the_file_and_a_reload_changes_it(tmp_path):
    path = tmp_path / "web.sock"
    with Lbd(text(path), prefix=CLOSED) as lbd:
        assert mode(path) == 0o666
        lbd.write(text(path, 'unix_mode = "0660"'))
        assert lbd.admin("POST", "/v1/reload")[0] == 200
        assert mode(path) == 0o660
        assert ask(Unix(str(path)), "GET", "/") == (200, "here")
        lbd.write(text(path, 'unix_mode = "0600"\nunix_group = "no-such-one"'))
        code, answer = lbd.admin("POST", "/v1/reload")
        assert code == 409
        assert "unix_group: this machine has no group 'no-such-one'" in str(answer)
        assert mode(path) == 0o660


@pytest.mark.parametrize(("trusted", "client", "scheme"), [('["unix"]', "192.0.2.7", "https"), ("[]", None, "http")])
def test_forwarded_fields_are_believed_where_unix_sockets_are_trusted(tmp_path, trusted, client, scheme):
    path = tmp_path / "web.sock"
    with Origin("a") as origin:
        listener = (f'[listeners.web]\nbind = "unix:{path}"\nbackend = "app"\n'
                    f'[backends.app]\nservers = {{ a = "127.0.0.1:{origin.port}" }}\n')
        with Lbd(listener, settings=f"trusted_proxies = {trusted}") as lbd:
            connection = Unix(str(path))
            connection.request("GET", "/digest", headers={"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"})
            seen = json.loads(connection.getresponse().read())["headers"]
            connection.close()
            assert seen.get("x-forwarded-for") == client
            assert seen["x-forwarded-proto"] == scheme
            assert lbd.stop() == 0

"""A listener on a Unix socket, in a daemon whose umask keeps everybody else out."""

import json
import os
import stat

from lbd_process import Lbd, Unix, ask
from origin import Origin

CLOSED = ("sh", "-c", 'umask 077; exec "$@"', "sh")


def text(path, more=""):
    return f'[listeners.web]\nbind = "unix:{path}"\n{more}\n[[listeners.web.routes]]\nrespond = {{ body = "here" }}\n'


def seen(path):
    """The client and the scheme that a server is told of, where a client of the socket tells of others."""
    connection = Unix(str(path))
    connection.request("GET", "/digest", headers={"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"})
    fields = json.loads(connection.getresponse().read())["headers"]
    connection.close()
    return fields.get("x-forwarded-for"), fields["x-forwarded-proto"]


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


def test_forwarded_fields_are_believed_where_unix_sockets_are_trusted(tmp_path):
    path = tmp_path / "web.sock"
    with Origin("a") as origin:
        listener = (f'[listeners.web]\nbind = "unix:{path}"\nbackend = "app"\n'
                    f'[backends.app]\nservers = {{ a = "127.0.0.1:{origin.port}" }}\n')
        with Lbd(listener, settings='trusted_proxies = ["unix"]') as lbd:
            assert seen(path) == ("192.0.2.7", "https")
            lbd.replace_file(lbd.file.read_text().replace('["unix"]', "[]"))
            assert lbd.admin("POST", "/v1/reload")[0] == 200
            assert seen(path) == (None, "http")

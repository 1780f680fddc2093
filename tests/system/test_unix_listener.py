"""A listener on a Unix socket, in a daemon whose umask keeps everybody else out."""

import os
import stat

from lbd_process import Lbd, Unix, ask

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

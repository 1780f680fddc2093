"""The metrics' address is changed by reloads: over the same port, to and from a listener, and in vain."""

import http.client
import threading

import pytest
from lbd_process import Lbd, Unix, ask, until

FIXED = '[[listeners.web.routes]]\nrespond = { body = "web" }\n'


def text(metrics, web="127.0.0.1:$web"):
    return f'[metrics]\nbind = "{metrics}"\n[listeners.web]\nbind = "{web}"\n{FIXED}'


class Moving(Lbd):
    """A daemon whose [metrics] is the test's own."""

    def write(self, text):
        """Put it into the file, in place of what there is by default."""
        self._head = self._head.partition("[metrics]")[0]
        super().write(text)

    def reload(self, text):
        """Status and answer of a reload."""
        self.write(text)
        return self.admin("POST", "/v1/reload")


@pytest.fixture(scope="module")
def lasting():
    """A daemon for tests of which each begins with a reload."""
    with Moving(text("127.0.0.1:$one")) as lbd:
        yield lbd


def at(lbd, name, path="/healthz", host="127.0.0.1"):
    return lbd.get(name, path, host)


def test_to_every_address_of_its_port_and_back_while_it_is_asked():
    with Moving(text("127.0.0.1:$one")) as lbd:
        over, wrong = threading.Event(), []

        def ask_on():
            while not over.is_set():
                try:
                    if (answer := at(lbd, "one")) != (200, "ok\n"):
                        wrong.append(answer)
                except ConnectionRefusedError as error:
                    wrong.append(error)
                except (ConnectionError, http.client.HTTPException):
                    pass    # it came between the last accept and the close, which no system call does at once

        asking = [threading.Thread(target=ask_on) for _ in range(2)]
        for thread in asking:
            thread.start()
        try:
            for metrics in ("0.0.0.0:$one", "127.0.0.1:$one", "*:$one", "127.0.0.1:$one"):
                code, answer = lbd.reload(text(metrics))
                assert code == 200, answer
        finally:
            over.set()
            for thread in asking:
                thread.join()
        assert wrong == []
        assert lbd.reload(text("[::]:$one"))[0] == 200
        assert at(lbd, "one", host="::1") == (200, "ok\n")
        with pytest.raises(ConnectionRefusedError):
            at(lbd, "one")
        assert lbd.stop() == 0


def test_the_metrics_and_a_listener_swap_ports():
    with Moving(text("127.0.0.1:$one", "127.0.0.1:$two")) as lbd:
        for metrics, web in (("two", "one"), ("one", "two")):
            code, answer = lbd.reload(text(f"127.0.0.1:${metrics}", f"127.0.0.1:${web}"))
            assert code == 200, answer
            until(lambda metrics=metrics: {at(lbd, metrics) for _ in range(10)} == {(200, "ok\n")},
                  "the metrics alone listen there")
            until(lambda web=web: {at(lbd, web) for _ in range(10)} == {(200, "web")}, "the listener alone does")
        code, answer = lbd.reload(text("127.0.0.1:$two", "127.0.0.1:$three"))
        assert code == 200, answer
        until(lambda: at(lbd, "two") == (200, "ok\n"), "the metrics listen where the listener was")
        code, answer = lbd.reload(text("127.0.0.1:$four", "0.0.0.0:$two"))
        assert code == 200, answer
        until(lambda: at(lbd, "two") == (200, "web"), "the listener listens where the metrics were")
        assert lbd.stop() == 0


@pytest.mark.parametrize(("metrics", "web", "said"), [
    ("192.0.2.1:$one", "127.0.0.1:$web", "no interface of this machine has that address"),
    ("0.0.0.0:$one", "192.0.2.1:80", "no interface of this machine has that address"),
    ("127.0.0.1:$web", "192.0.2.1:80", "no interface of this machine has that address"),
    ("127.0.0.1:$two", "unix:/nowhere/at/all.sock", "the directory does not exist"),
])
def test_a_reload_that_fails_leaves_everything_where_it_was(lasting, metrics, web, said):
    assert lasting.reload(text("127.0.0.1:$one"))[0] == 200
    code, answer = lasting.reload(text(metrics, web))
    assert (code, said in str(answer)) == (409, True), answer
    for _ in range(5):
        assert at(lasting, "one") == (200, "ok\n")
        assert at(lasting, "web") == (200, "web")
    with pytest.raises(ConnectionRefusedError):
        at(lasting, "one", host="127.0.0.2")
    code, answer = lasting.reload(text("0.0.0.0:$one"))
    assert code == 200, answer
    assert at(lasting, "one", host="127.0.0.2") == (200, "ok\n")


def test_a_unix_socket_changes_hands_in_two_reloads(tmp_path):
    path = f"unix:{tmp_path}/s"
    with Moving(text(path)) as lbd:
        code, answer = lbd.reload(text("127.0.0.1:$one", path))
        assert (code, "in two reloads, by way of another path" in str(answer)) == (409, True), answer
        assert ask(Unix(f"{tmp_path}/s"), "GET", "/healthz") == (200, "ok\n")
        assert lbd.reload(text("127.0.0.1:$one"))[0] == 200
        code, answer = lbd.reload(text("127.0.0.1:$one", path))
        assert code == 200, answer
        assert ask(Unix(f"{tmp_path}/s"), "GET", "/healthz") == (200, "web")
        assert lbd.stop() == 0

"""Workers whose supervisor is dead: they serve on for half a minute, then leave by themselves."""

import pytest
from lbd_process import Lbd, Unix, ask, until
from load import Load
from origin import Origin

from tests.children import living, status

TEXT = """
[listeners.web]
bind = "127.0.0.1:$web"
backend = "app"
[backends.app]
servers = { a = "127.0.0.1:%d" }
"""


@pytest.mark.slow
def test_they_serve_on_and_leave_without_losing_a_request():
    with Origin("a") as origin, Lbd(TEXT % origin.port, settings='drain_timeout = "5s"') as lbd:
        workers = lbd.workers()
        with Load(lbd.port("web"), connections=2) as load:
            lbd.kill_supervisor()
            until(lambda: load.refused, "they close their sockets", deadline=40)
            assert load.lost == 0
            assert set(load.answered) == {200}
            until(lambda: not living(workers), "they left")


def test_they_serve_new_clients_at_once_after_the_death():
    with Origin("a") as origin, Lbd(TEXT % origin.port) as lbd:
        with Load(lbd.port("web"), connections=8, once=True) as load:
            until(lambda: load.total > 50, "some answers")
            lbd.kill_supervisor()
            goal = load.total + 200
            until(lambda: load.total > goal, "many more answers")
        assert load.lost == load.refused == 0
        assert set(load.answered) == {200}


def test_a_new_supervisor_takes_over_and_nothing_is_refused_or_lost():
    with Origin("a") as origin, Lbd(TEXT % origin.port, settings='drain_timeout = "5s"') as lbd:
        orphans = lbd.workers()
        with Load(lbd.port("web"), connections=4, once=True) as load:
            until(lambda: load.total > 50, "some answers")
            lbd.kill_supervisor()
            lbd.start(wait=False)
            until(lambda: lbd.workers() and len(lbd.logged("ready")) == 2, "a new one serves")
            until(lambda: not living(orphans), "the orphans leave")
            goal = load.total + 100
            until(lambda: load.total > goal, "answers of the new workers")
        assert (load.lost, load.refused, set(load.answered)) == (0, 0, {200})
        assert not set(orphans) & set(lbd.workers())


def test_orphans_of_unix_sockets_are_taken_over_too(tmp_path):
    path = tmp_path / "web.sock"
    with Origin("a") as origin, Lbd((TEXT % origin.port).replace("127.0.0.1:$web", f"unix:{path}"),
                                    settings='drain_timeout = "5s"') as lbd:
        orphans = lbd.workers()
        lbd.kill_supervisor()
        assert ask(Unix(str(path)), "GET", "/")[0] == 200   # they serve on
        until(lambda: all("lbd-orphan" in status(pid) for pid in living(orphans)), "they know it")
        lbd.start(wait=False)
        until(lambda: len(lbd.logged("ready")) == 2, "a new one serves")
        until(lambda: not living(orphans), "the orphans leave")
        assert ask(Unix(str(path)), "GET", "/")[0] == 200

"""Every signal of the table has its method, with the operator's manual in it."""

from lbd.control.signals import SIGNALS, install
from lbd.control.supervisor import Supervisor


def test_each_signal_has_a_documented_method():
    assert all(getattr(Supervisor, name).__doc__ for name in SIGNALS.values())


def test_install_registers_all():
    class Loop:
        def __init__(self):
            self.registered = {}

        def add_signal_handler(self, number, callback):
            self.registered[number] = callback

    class Handlers:
        def handle_hup(self):
            return "hup"

        def handle_term(self):
            return "term"

        def handle_int(self):
            return "int"

        def handle_quit(self):
            return "quit"

        def handle_usr1(self):
            return "usr1"

        def handle_usr2(self):
            return "usr2"

    loop = Loop()
    install(loop, Handlers())
    assert {callback() for callback in loop.registered.values()} == {"hup", "term", "int", "quit", "usr1", "usr2"}
    assert set(loop.registered) == set(SIGNALS)

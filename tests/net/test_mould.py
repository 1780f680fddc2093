"""Copies of an object without its constructor."""

import gc
import sys
import weakref

import pytest

from lbd.net.mould import Mould


class Thing:
    __slots__ = ("left", "name", "right")

    def __init__(self, name):
        self.name = name
        self.left = self.right = None


class Named(Thing):
    __slots__ = ("more",)


def test_it_is_like_the_template_and_a_thing_of_its_own():
    template = Named("a")
    template.left = ["shared"]
    mould = Mould(template)
    template.right = "set later"
    one, other = mould.make(), mould.make()
    assert type(one) is Named
    assert (one.name, one.right) == ("a", "set later")
    assert one.left is other.left is template.left
    one.name = "b"
    assert (template.name, other.name) == ("a", "a")
    with pytest.raises(AttributeError):          # not set in the template either
        assert one.more
    one.more = 1
    assert one.more == 1


def test_references_are_counted():
    class Held:
        pass

    held = Held()
    template = Thing(held)
    kinds, before = sys.getrefcount(Thing), sys.getrefcount(held)
    made = [Mould(template).make() for _ in range(100)]
    assert sys.getrefcount(held) == before + 100
    assert sys.getrefcount(Thing) == kinds + 100
    gone = weakref.ref(held)
    del made, template, held
    assert gone() is None


def test_cycles_are_collected():
    class Held:
        pass

    held = Held()
    gone = weakref.ref(held)
    one = Mould(Thing(held)).make()
    one.left = one
    del one, held
    gc.collect()
    assert gone() is None


class Loose:
    pass


class Weak:
    __slots__ = ("__weakref__",)


class Counted(int):
    __slots__ = ()


@pytest.mark.parametrize("template", [Loose(), Weak(), Counted(), object.__new__(type("T", (Thing,), {})), [], 1])
def test_what_keeps_more_than_slots_is_refused(template):
    with pytest.raises(TypeError, match="keeps more than what its __slots__ name"):
        Mould(template)

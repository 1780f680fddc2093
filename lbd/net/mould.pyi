"""Copies of a prototype object, for the objects of new connections: cheaper than a constructor."""

from typing import Generic, TypeVar

_T = TypeVar("_T")

class Mould(Generic[_T]):
    """A factory of copies: objects of the template's type whose slots refer to the same objects as its slots do now.

    TypeError for a type with anything but `__slots__`: a `__dict__`, weak references, or a base written in C.
    """

    def __init__(self, template: _T) -> None: ...
    def make(self) -> _T: ...

"""Objects like one that was made before: for what is made with every connection, where a constructor costs most."""

from typing import Generic, TypeVar

_T = TypeVar("_T")

class Mould(Generic[_T]):
    """Makes objects of the template's type whose slots refer to the same objects as the template's do now.

    TypeError for a type with anything but `__slots__`: a `__dict__`, weak references, or a base written in C.
    """

    def __init__(self, template: _T) -> None: ...
    def make(self) -> _T: ...

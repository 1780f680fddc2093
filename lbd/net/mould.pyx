"""Copies of a prototype object, for the objects of new connections: cheaper than a constructor."""

from cpython.object cimport PyObject, PyTypeObject
from cpython.ref cimport Py_XDECREF, Py_XINCREF

cdef extern from "Python.h":
    ctypedef PyObject *(*allocfunc)(PyTypeObject *, Py_ssize_t)
    ctypedef struct Layout "PyTypeObject":
        Py_ssize_t tp_basicsize
        allocfunc tp_alloc
        unsigned long tp_flags
    unsigned long Py_TPFLAGS_HEAPTYPE
    Layout *Py_TYPE(object)

cdef unsigned long HEAP = Py_TPFLAGS_HEAPTYPE


cdef class Mould:
    cdef object template
    cdef Py_ssize_t slots

    def __init__(self, template):
        kind = type(template)
        if kind.__dictoffset__ or kind.__weakrefoffset__ or kind.__itemsize__ or not all(
                [part is object or part.__flags__ & HEAP for part in kind.__mro__]):
            raise TypeError(f"{kind.__name__} keeps more than what its __slots__ name")
        self.template = template
        self.slots = Py_TYPE(template).tp_basicsize // sizeof(PyObject *)

    def make(self):
        cdef Layout *kind = Py_TYPE(self.template)
        cdef PyObject *made = kind.tp_alloc(<PyTypeObject *>kind, 0)
        cdef PyObject **target = <PyObject **>made
        cdef PyObject **source = <PyObject **><PyObject *>self.template
        cdef Py_ssize_t place
        if made == NULL:
            raise MemoryError
        # An object begins with its count and its type; all behind that are references.
        for place in range(sizeof(PyObject) // sizeof(PyObject *), self.slots):
            Py_XINCREF(source[place])
            target[place] = source[place]
        result = <object>made
        Py_XDECREF(made)
        return result

"""A filter of the operator's own, a class named by "package.module:Class" in `filters`, with its options."""

import dataclasses
import importlib
import typing
from collections.abc import Mapping

from lbd import schema
from lbd.errors import LbdError
from lbd.exchange.filter import PASS, REFUSE, Filter, FilterContext
from lbd.filters.time_guard import watch_time
from lbd.wording import listed, nearest, shown, type_of

SIMPLE = (str, int, float, bool)        # types of options that are checked


def make(wanted: schema.FilterConfig, context: FilterContext) -> Filter:
    """The filter, with the time of its hooks watched; raises `LbdError` with the reason when it cannot be had."""
    kind = load(wanted.use)
    options = read_options(wanted, kind)
    try:
        made = kind(options, context)
        watch_time(wanted.use, made, context)
    except Exception as error:
        raise LbdError(f"{wanted.use!r} cannot be made: {type(error).__name__}: {error}") from error
    return made


def load(name: str) -> type[Filter]:
    """The class that `package.module:Class` names; raises `LbdError` with the reason when there is none."""
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as error:
        raise LbdError(f"cannot load {name!r}: {type(error).__name__}: {error}; the module must be installed beside "
                       "lbd or stand in a directory of PYTHONPATH") from error
    if not isinstance(found, type) or not issubclass(found, Filter):
        raise LbdError(f"{name!r} is no filter: a class that inherits lbd.exchange.filter.Filter is needed")
    if found.on_error not in (REFUSE, PASS):
        raise LbdError(f'{name!r}: on_error is {found.on_error!r}; must be "{REFUSE}" or "{PASS}"')
    if found.Options is not None and not dataclasses.is_dataclass(found.Options):
        raise LbdError(f"{name!r}: Options is no dataclass")
    return found


def read_options(wanted: schema.FilterConfig, kind: type[Filter]) -> object:
    """The options as the class declares them, None for a class that has none; raises `LbdError`."""
    if kind.Options is None:
        if wanted.options:
            raise LbdError(f"{wanted.use!r} has no options, and {listed(map(shown, wanted.options))} is given")
        return None
    known = {field.name: field for field in dataclasses.fields(kind.Options) if field.init}
    for name in wanted.options:
        if name not in known:
            near = nearest(name, known) or f"; known here: {', '.join(known) or 'none'}"
            raise LbdError(f"{wanted.use!r}: unknown option {shown(name)}{near}")
    for name, field in known.items():
        if name not in wanted.options and field.default is field.default_factory is dataclasses.MISSING:
            raise LbdError(f"{wanted.use!r}: the option {shown(name)} is missing")
    check_types(wanted.use, kind.Options, wanted.options)
    try:
        return kind.Options(**wanted.options)
    except Exception as error:
        raise LbdError(f"{wanted.use!r}: its options are not good: {type(error).__name__}: {error}") from error


def check_types(use: str, options: type, given: Mapping[str, object]) -> None:
    """Check values against the simple types of a dataclass; raises `LbdError`."""
    try:
        hints = typing.get_type_hints(options)
    except Exception as error:
        raise LbdError(f"{use!r}: the types of its options cannot be read: {error}") from error
    for name, value in given.items():
        want = hints.get(name)
        if want not in SIMPLE or (isinstance(value, want) and isinstance(value, bool) is (want is bool)):
            continue
        if want is float and isinstance(value, int) and not isinstance(value, bool):
            continue
        raise LbdError(f"{use!r}: the option {shown(name)} is {type_of(value)}; {want.__name__} is wanted")

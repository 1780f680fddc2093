"""The saved health of servers, for the next version in this process: judgements, ejections and planned cuts."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from typing import Any, TypeVar

from lbd.backend.outlier import Case, Streak
from lbd.backend.state import Identity
from lbd.generation.cuts import Cuts
from lbd.generation.ejection import Ejection
from lbd.health.check import Result
from lbd.health.schedule import Judgement, Schedule
from lbd.log.logger import logger

T = TypeVar("T")


def describe(schedule: Schedule, ejection: Ejection, cuts: Cuts) -> dict[str, Any]:
    """All judgements, cases and planned cuts, by server."""
    return {"health": [(key, asdict(judgement)) for key, judgement in schedule.judgements().items()],
            "ejections": [(key, {**_plain(case), "streak": vars(case.streak)})
                          for key, case in ejection.cases().items()],
            "cuts": cuts.planned()}


def restore(data: Mapping[str, Any], schedule: Schedule, ejection: Ejection, cuts: Cuts) -> None:
    """Go on from there. Unreadable data is left out: checks will tell."""
    try:
        schedule.restore({_key(key): _judgement(found) for key, found in data.get("health", ())})
        ejection.restore_cases({_key(key): _case(found) for key, found in data.get("ejections", ())})
        cuts.restore_plans({(str(backend), str(server)): float(at) for (backend, server), at in data.get("cuts", ())})
    except (KeyError, TypeError, ValueError) as error:
        logger.warning("health begins anew: what the version before knew cannot be read", reason=repr(error))


def _key(found: Iterable[Any]) -> Identity:
    backend, server, address = map(str, found)
    return backend, server, address


def _judgement(found: Mapping[str, Any]) -> Judgement:
    last = found.get("last")
    return _made(Judgement, {**found, "last": _made(Result, last) if last is not None else None})


def _case(found: Mapping[str, Any]) -> Case:
    streak = Streak()
    vars(streak).update({name: value for name, value in found["streak"].items() if name in vars(streak)})
    return _made(Case, {**found, "streak": streak})


def _plain(case: Case) -> dict[str, Any]:
    return {field.name: getattr(case, field.name) for field in fields(case)}


def _made(cls: type[T], found: Mapping[str, Any]) -> T:
    """An instance by those fields that this version knows."""
    names = {field.name for field in fields(cls)}  # type: ignore[arg-type]
    return cls(**{name: value for name, value in found.items() if name in names})

"""A measurement of one target in one round."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Result:
    """The measured values; None where a case does not measure them. `figure` is what the case's own text names."""

    per_second: float | None = None     # requests
    cpu: float | None = None            # microseconds per request, all processes of the proxy
    user: float | None = None           # of it
    system: float | None = None
    p50: float | None = None            # milliseconds
    p99: float | None = None
    others: float | None = None         # percent of the proxy's processor that somebody else had: above 5, distrust
    rss: float | None = None            # MiB, all processes of the proxy
    figure: float | None = None
    errors: tuple[str, ...] = ()


def failed(text: str) -> Result:
    """A measurement that could not be made."""
    return Result(errors=(text,))

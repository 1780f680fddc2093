"""A sparkline: the latencies of the last minutes as a small SVG image, without scripts or styles."""

from collections.abc import Sequence

SAMPLES = 60     # that fill the width
HEIGHT = 20      # of the view box; a sample is one unit wide

Samples = Sequence[float | None]


def draw(latencies: Samples, errors: Sequence[float], top: float) -> str:
    """The SVG of the samples, the newest at the right; steps without responses are gaps, steps with errors have a mark.
    `top` is the value at the upper edge in seconds, equal for all servers that are compared."""
    known = [value for value in latencies if value is not None]
    if not known:
        return ""
    shown = list(latencies)[-SAMPLES:]
    first = SAMPLES - len(shown)
    marks = "".join(f"M{first + place} {HEIGHT}v-4" for place, value in enumerate(list(errors)[-SAMPLES:]) if value)
    label = f"latency of the last steps, {min(known) * 1000:.1f} to {max(known) * 1000:.1f} ms"
    if marks:
        label += ", with errors"
    return (f'<svg class="spark" viewBox="0 0 {SAMPLES} {HEIGHT}" preserveAspectRatio="none" role="img" '
            f'aria-label="{label}"><path d="{line(shown, first, top)}"/>'
            + (f'<path class="marks" d="{marks}"/>' if marks else "") + "</svg>")


def line(values: Samples, first: int, top: float) -> str:
    """The data of the SVG path; a single sample between gaps is a short stroke."""
    parts = []
    pen = False
    for place, value in enumerate(values, first):
        if value is None:
            pen = False
            continue
        height = HEIGHT - 1 - (HEIGHT - 2) * min(value / top, 1.0) if top > 0 else HEIGHT - 1
        parts.append(f"{'L' if pen else 'M'}{place} {height:.1f}" + ("" if pen else "h.5"))
        pen = True
    return "".join(parts)


def highest(courses: Sequence[Samples]) -> float:
    """The greatest of all samples; 0.0 without any."""
    return max((value for course in courses for value in course if value is not None), default=0.0)

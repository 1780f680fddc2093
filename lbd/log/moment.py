"""Points in time as text."""

import time


def moment(unix: float) -> str:
    """A point in time as ISO 8601 in UTC, from seconds of the Unix epoch."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(unix))

"""Passive failure back-off: a server whose connect failed is the last choice for a while, longer with each failure."""

FIRST = 0.5         # seconds
DOUBLINGS = 4       # from half a second to 8 s


class FailureBackoff:
    """The back-off of one server: `until` is the monotonic time until which it is the last choice, 0.0: it is not."""

    __slots__ = ("failures", "until")

    def __init__(self) -> None:
        self.until = 0.0
        self.failures = 0

    def mark_failed(self, now: float) -> bool:
        """Back off since a connect failed at `now`: half a second, twice as long each time, at most 8 s.

        False if it was backed off already.
        """
        if now < self.until:
            return False
        self.until = now + FIRST * 2 ** self.failures
        self.failures = min(self.failures + 1, DOUBLINGS)
        return True

    def clear_failures(self) -> None:
        """End the back-off: the server was reached again."""
        self.until = 0.0
        self.failures = 0

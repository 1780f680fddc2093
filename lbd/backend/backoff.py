"""Passive failure back-off: a server whose connect failed is the last choice for a while, longer with each failure."""

FIRST = 0.5         # seconds
DOUBLINGS = 4       # from half a second to 8 s


class FailureBackoff:
    """`until` is the monotonic time until which the server is the last choice; 0.0 while it is not backed off."""

    __slots__ = ("failures", "until")

    def __init__(self) -> None:
        self.until = 0.0
        self.failures = 0

    def mark_failed(self, now: float) -> bool:
        """Back off since a connect failed at `now`: half a second, twice as long each time, at most 8 s.

        False if that is no news: it was backed off already.
        """
        if now < self.until:
            return False
        self.until = now + FIRST * 2 ** self.failures
        self.failures = min(self.failures + 1, DOUBLINGS)
        return True

    def clear_failures(self) -> None:
        """End the back-off: the server answered again."""
        self.until = 0.0
        self.failures = 0

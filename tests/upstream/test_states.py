"""The states are different, and those that are compared stand in order."""

from lbd.upstream import states


def test_states_are_numbered_in_order() -> None:
    numbers = [value for name, value in vars(states).items() if name.isupper()]
    assert numbers == list(range(len(numbers)))

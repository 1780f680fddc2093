"""Calls of libssl on the connection of an `ssl.SSLObject`: the module makes an exception for each that has to wait.

They are made only where a test at the start has found the connection in the module's object.
"""

def works() -> bool:
    """Whether connections are found there; without it the module's own methods are called."""

def forget() -> None:
    """Call the module's own methods from now on, as where the test failed."""

def learn() -> None:
    """Test again."""

"""The interface between connections and `lbd.net.splice`, which moves their bytes."""

class Carrier:
    """A pump that moves bytes from one connection, its source, to another in place of their protocols."""

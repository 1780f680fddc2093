"""What a connection lets its bytes be carried by: the interface between connections and `lbd.net.splice`."""

class Carrier:
    """What moves bytes from one connection, its source, to another in place of their protocols."""

"""A daemon that its servers can be tried for, and where they bind."""

from lbd.schema.units import Address

LOCAL = Address("127.0.0.1", 0)


class Daemon:
    """Nothing is asked of it here."""

    ready = ""
    runtime_changes = None

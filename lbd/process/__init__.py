"""The processes of the daemon: workers, channels to them, the sockets they share, limits and privileges; imports
admin, upstream, routing, health, balance and below."""

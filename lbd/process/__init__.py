"""The daemon as a process of the system: sockets, limits, privileges, directories, systemd; imports admin, upstream,
routing, health, balance and below."""

"""The daemon as a process of the system: sockets, limits, privileges, directories, systemd; imports admin, access_log,
downstream, upstream, filters, health, balance and below."""

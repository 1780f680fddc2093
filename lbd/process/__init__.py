"""The daemon as a process of the system: its sockets, limits, privileges, directories and service manager."""

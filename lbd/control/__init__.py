"""The supervisor and its workers: processes, sockets, signals, reload."""

"""Backends without I/O or a clock of their own: servers, the pool, stickiness, rules of retrying; imports tls and
below."""

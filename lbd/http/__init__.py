"""Bytes in, facts and bytes out; no sockets."""

"""Sockets, and nothing of HTTP."""

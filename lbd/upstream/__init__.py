"""Connections to servers: requests sent, responses read, connections kept; imports backend and below."""

"""Connections to servers: requests sent, responses read, connections kept; imports exchange and below."""

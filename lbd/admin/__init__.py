"""The HTTP API and the status page; imports exchange and below."""

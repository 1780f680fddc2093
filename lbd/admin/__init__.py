"""The HTTP API and the status page; imports backend and below."""

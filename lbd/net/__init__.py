"""Sockets, transports and the event loop, without HTTP; imports schema, stats, http and below."""

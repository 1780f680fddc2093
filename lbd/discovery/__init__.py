"""Endpoints of backends and where they come from: names resolved, servers that register themselves."""

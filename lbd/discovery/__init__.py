"""The endpoints of backends and their sources: DNS names, files of names, registrations; imports admin, upstream,
routing, health, balance and below."""

"""The endpoints of backends and their sources: DNS names, files of names, registrations; imports admin, access_log,
downstream, upstream, filters, health, balance and below."""

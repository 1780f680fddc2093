"""The way of a request through a worker: listeners, clients, admission, timers; imports admin, access_log, downstream,
upstream, filters, health, balance and below."""

"""The way of a request through a worker: listeners, clients, admission, timers; imports admin, upstream, routing,
health, balance and below."""

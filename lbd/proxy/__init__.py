"""The way of a request: listeners, clients, routes, upstream connections."""

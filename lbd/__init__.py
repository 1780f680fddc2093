"""lbd: a load balancer daemon."""

__version__ = "0.1.0"

"""lbd: a load balancer daemon."""

__version__ = "0.2.0"

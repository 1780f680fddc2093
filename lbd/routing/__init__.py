"""Routes: from a request's host and path to its target, answers of lbd's own, fields that lbd adds; imports backend
and below."""

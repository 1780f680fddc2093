"""Status, metrics, events, settings and explanations: what the daemon says of itself."""

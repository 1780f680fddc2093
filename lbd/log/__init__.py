"""Log lines of the daemon and its standard streams: structured, bounded, and never in the way."""

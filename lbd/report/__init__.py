"""Status, metrics, events, settings and explanations of the running daemon; imports reload and below."""

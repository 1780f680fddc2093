"""Status, metrics, events, settings and explanations of the running daemon; imports generation, simulation and
below."""

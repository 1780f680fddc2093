"""The numbers: the shared scoreboard, its fields, the endings, and what Prometheus is told."""

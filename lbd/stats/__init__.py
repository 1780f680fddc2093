"""The shared scoreboard, its fields, the endings, and the exposition for Prometheus; imports log and below."""

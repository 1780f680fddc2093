"""The generation in force: reload prepares the next, applies it, watches it and takes it back; imports workers
and below."""

"""What the operator wrote: the table of keys, how values are read, and every finding with its place."""

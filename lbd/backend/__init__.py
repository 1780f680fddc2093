"""What a backend is: servers, the pool, and the rules of retrying; no I/O and no clock of its own."""

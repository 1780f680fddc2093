"""Where lbd is asked and steered: one resource a file."""

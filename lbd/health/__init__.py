"""Asking servers whether they are well: one kind of check a file."""

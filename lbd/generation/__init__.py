"""Reload, and what is in force: one generation of the configuration prepared, applied, watched and taken back."""

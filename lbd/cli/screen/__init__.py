"""What `lbd top` shows: one file per screen, on textual."""

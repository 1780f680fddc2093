"""The screens of `lbd top`, on textual: one file each."""

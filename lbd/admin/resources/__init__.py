"""The resources of the admin API, one a file."""

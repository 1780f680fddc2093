"""The generation in force: prepared, put in force, kept up to date, and handed over to the next version; imports
workers and below."""

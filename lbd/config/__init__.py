"""The configuration as the operator wrote it: reading, checking, and every finding with its place; imports net and
below."""

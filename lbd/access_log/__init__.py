"""Lines of the access log and spans: written by workers, collected and put out by the supervisor; imports exchange and
below."""

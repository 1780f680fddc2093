"""The access log and spans: lines written by workers, collected and put out by the supervisor."""

"""The daemon's own log: structured lines, standard streams, moments; imports errors, building, installation,
wording and below."""

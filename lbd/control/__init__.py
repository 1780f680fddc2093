"""The supervisor: signals, runtime changes, the admin and metrics servers, upgrade; and the worker's main; imports
report and below."""

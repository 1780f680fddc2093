"""Exchanges: one request and its answer, whatever carries them, and what they ask of their two sides; imports routing
and below."""

"""The connections of clients: accepted, introduced, secured, and read; imports exchange and below."""

"""The production algorithms in simulated time, before servers that are models; imports workers and below."""

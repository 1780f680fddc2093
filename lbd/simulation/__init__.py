"""The simulation: the production algorithms in simulated time, before servers that are models."""

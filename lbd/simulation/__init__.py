"""The production algorithms in simulated time, before servers that are models; imports process, discovery, proxy
and below."""

"""The reload: from files that changed to the next generation, its confirmation and the way back; imports generation,
simulation and below."""

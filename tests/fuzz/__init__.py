"""Fuzzing: connections that break off anywhere, and kernels fed with anything, under AddressSanitizer and UBSan."""

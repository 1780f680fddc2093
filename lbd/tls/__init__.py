"""TLS: contexts, certificates, tickets and handshakes, for listeners and towards servers."""

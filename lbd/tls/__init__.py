"""TLS contexts, certificates, tickets and handshakes, of listeners and towards servers; imports config and below."""

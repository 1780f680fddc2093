"""HTTP/1.1 heads and bodies: bytes in, facts and bytes out, no sockets; imports log and below."""

"""Questions to the kernel about a connected socket, by its descriptor: one or two system calls each, none waits."""

def readable(fd: int) -> bool:
    """Bytes, an end or an error wait to be read, or the descriptor is -1: closed."""

def unsent(fd: int) -> int:
    """Bytes of the send queue, those that are sent but not acknowledged too; 0 for a closed one."""

def peer_left(fd: int, wanted: int) -> bool:
    """The peer is gone, or sends no more and owes some of so many bytes; False for a closed one."""

def reset_on_close(fd: int) -> None:
    """Have the kernel drop what is unsent when the last descriptor closes, and send a reset (RFC 9293 3.5.2)."""

"""Workers, channels to them and the sockets they share: processes of the daemon and what the kernel grants them."""

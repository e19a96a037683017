"""The engine and the publisher as they are, in a world that a seed decides: no threads, no sockets, no clock."""

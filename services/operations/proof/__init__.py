"""Proves the whole chain from the log to what is shown, in another way than the services work."""

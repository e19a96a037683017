"""Proving the whole chain from the log to what is shown, by another way than the services go."""

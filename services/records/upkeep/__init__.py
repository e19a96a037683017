"""Proving, rebuilding, sending again and explaining what the worker has stored."""

"""Answers put together: figures, their quality and why they differ."""

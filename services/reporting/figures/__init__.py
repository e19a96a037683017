"""Assembles answers: figures, their quality, and why they differ."""

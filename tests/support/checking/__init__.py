"""Figures worked out in another way, and readers of files that are not ours."""

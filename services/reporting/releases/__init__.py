"""Releases: how they are made, published, compared and withdrawn."""

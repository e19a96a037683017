"""Limits of a consumer's fetches, and the order in which they are handed over."""

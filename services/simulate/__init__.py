"""Simulates 32 authorities with known lives of their orders: events as untidy as real ones, and the results that must follow.

Nothing here is about a real person or describes a real authority: only the totals follow published figures.
"""

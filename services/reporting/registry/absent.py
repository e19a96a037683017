"""Requests for things that do not exist. Pure."""


class NotThere(Exception):
    """There is no such thing, or not for this viewer. The message says what. A LookupError is our bug, and never this."""

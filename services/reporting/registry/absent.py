"""Requests for things that do not exist. Pure."""


class NotThere(Exception):
    """The thing asked for does not exist, or not for this viewer. The message names it. A LookupError, in contrast, is our own bug."""

"""What is asked for and is not there. Pure."""


class NotThere(Exception):
    """There is no such thing, or not for this viewer. The message says what. A LookupError is a fault of ours, and never this."""

"""The two ways in which something is wrong: with one cell, or with everything."""


class CannotGoOn(Exception):
    """Nothing can be compared or sent until somebody changes something. Nothing was changed or sent."""

    exit_status = 2


class Later(CannotGoOn):
    """The same may go well without anybody changing the tables or the mapping. What was imported is kept."""


class Unread(ValueError):
    """A cell that cannot be what its column is mapped to. The message goes after the name of the column."""


class Empty(CannotGoOn):
    """A table holds nothing at all."""

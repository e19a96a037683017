"""The two kinds of fault: in one cell, or in everything."""


class CannotGoOn(Exception):
    """Nothing can be compared or sent until somebody changes something. Nothing was changed or sent."""

    exit_status = 2


class Later(CannotGoOn):
    """The same may succeed later without a change of tables or mapping. What was imported is kept."""


class Unread(ValueError):
    """The cell cannot be what its column is mapped to. The message continues a sentence that begins with the name of the column."""


class NoColumn(CannotGoOn):
    """A column that the mapping names is not in the table."""


class NoTable(CannotGoOn):
    """A file holds no table of the mapping."""


class Empty(CannotGoOn):
    """The table holds nothing at all."""

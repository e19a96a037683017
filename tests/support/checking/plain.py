"""Tells whether a message holds what only programmers read: the names that programs give to kinds of values, and patterns."""

import re

JARGON = re.compile(
    r"\b(int|str|float|bool|dict|tuple|None|NoneType|null|array|string|strings|boolean|integer|datetime|Decimal|Traceback)\b"
    r"|\[[A-Za-z]-[A-Za-z]|\\[AZdw]|\{\d+,\d+\}|<class|<unicode|codec|Errno"
)


def is_plain(message: str) -> bool:
    """Return whether people read nothing of a program in a message."""
    return bool(message.strip()) and JARGON.search(message) is None

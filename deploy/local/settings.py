"""The environment of the embedded stack: everything but our own settings, which it decides itself."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

KEPT = "PAYBACK_AUTHORITIES_PATH"
"""The list of authorities, by which the stack itself makes topics and tokens: all processes must have the same."""


def clean_environment() -> dict[str, str]:
    """Return the environment without Payback's settings, for the processes that are given theirs."""
    return {
        name: value for name, value in os.environ.items() if not name.upper().startswith("PAYBACK_") or name == KEPT
    }


def replace_environment(environment: Mapping[str, str]) -> None:
    """Give this process another environment."""
    os.environ.clear()
    os.environ.update(environment)


@contextmanager
def another_environment(environment: Mapping[str, str]) -> Iterator[None]:
    """Have another environment during the block."""
    before = dict(os.environ)
    replace_environment(environment)
    try:
        yield
    finally:
        replace_environment(before)

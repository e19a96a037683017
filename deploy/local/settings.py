"""The environment of the embedded stack: everything but our own settings, which it decides itself."""

import os


def clean_environment() -> dict[str, str]:
    """Return the environment without Payback's settings, for processes that are given their own."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith("PAYBACK_")}

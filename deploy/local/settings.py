"""What the embedded stack takes from the environment: everything but our own settings, which it decides itself."""

import os


def clean_environment() -> dict[str, str]:
    """The environment without Payback's settings, for the processes that are given theirs."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith("PAYBACK_")}

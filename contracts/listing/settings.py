"""The setting of a contract from the environment: the path of an operator's own list of authorities."""

import os
from pathlib import Path

AUTHORITIES_PATH = "PAYBACK_AUTHORITIES_PATH"


def authorities_path() -> Path | None:
    """Return the operator's file; None if there is none."""
    given = os.environ.get(AUTHORITIES_PATH)
    return Path(given) if given else None

"""What a contract reads from the environment: where an operator's own list of authorities lies."""

import os
from pathlib import Path

AUTHORITIES_PATH = "PAYBACK_AUTHORITIES_PATH"


def authorities_path() -> Path | None:
    """The operator's file; None where there is none."""
    given = os.environ.get(AUTHORITIES_PATH)
    return Path(given) if given else None

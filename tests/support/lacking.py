"""What a developer may lack, the build may not."""

import os
from typing import NoReturn

import pytest


def cannot(reason: str) -> NoReturn:
    """Skip the test and say why; where everything has to be there, fail."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)

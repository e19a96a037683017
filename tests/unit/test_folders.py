"""A folder holds no more files than one can look over."""

import pytest

from tests.support.metrics import folders

MOST_FILES = 15


@pytest.mark.parametrize("folder", folders())
def test_no_folder_is_too_full(folder: str) -> None:
    assert folders()[folder] <= MOST_FILES

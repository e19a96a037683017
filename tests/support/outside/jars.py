"""Jars from the local Maven repository, fetched if they are missing, with their digests checked."""

import hashlib
from pathlib import Path


def named_in(names: Path) -> list[Path]:
    """Return the jars that the lines of a file name by coordinates and digest. Raises RuntimeError if a jar has another digest."""
    from jgo.maven import MavenContext

    repository = MavenContext()
    found = []
    for line in names.read_text().splitlines():
        coordinates, _, digest = line.partition(" sha256:")
        group, name, version = coordinates.split(":")
        jar = repository.project(group, name).at_version(version).artifact().resolve()
        if hashlib.sha256(jar.read_bytes()).hexdigest() != digest:
            raise RuntimeError(f"{jar} is not what {names} names")
        found.append(jar)
    return found

"""Jars from the local Maven repository, fetched where they are not there yet, and what they must be."""

import hashlib
from pathlib import Path


def named_in(names: Path) -> list[Path]:
    """The jars that the lines of a file name by coordinates and digest. Raises RuntimeError where one is another."""
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

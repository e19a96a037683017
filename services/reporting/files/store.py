"""The files of releases in the database: made once, and never changed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, select, text

from contracts.periods import LONDON
from services.chassis.api.auth import PUBLIC, Identity
from services.chassis.database import transaction, unhurried
from services.reporting.figures.answers import Enquiry
from services.reporting.files.bundle import SUMS, Before, File, Told, name_of_all
from services.reporting.read.tables import release_files
from services.reporting.registry.absent import NotThere
from services.reporting.releases.announcing import due_at
from services.reporting.releases.index import DRAFT, ReleaseInfo, alone, release_before, release_for

_OPERATOR = Identity("operator", frozenset({"national:read"}))


@dataclass(frozen=True, slots=True)
class Listed:
    """A file without its content."""

    name: str
    media_type: str
    title: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Kept(Listed):
    """A file."""

    content: bytes


class BeingMade(Exception):
    """Another process is making files now."""


def make_files(
    database: Engine, release: str, today: date, told: Told = lambda *_: None, *, patient: bool = True
) -> None:
    """Make the files of a published or held release, unless they exist. Raises NotThere for any other.

    Only one process makes files at a time. A patient caller waits for the other; anybody else gets BeingMade.
    """
    with unhurried(database) as connection:
        if not _alone(connection, patient):
            raise BeingMade
        if listed(connection, release):
            return
        while not _written(database, release, *_made(connection, release, today, told)):
            pass  # the release was moved, or got a notice, meanwhile


def _alone(connection: Connection, patient: bool) -> bool:
    if patient:
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('release files'))")
        return True
    return bool(connection.scalar(text("SELECT pg_try_advisory_xact_lock(hashtext('release files'))")))


def _made(connection: Connection, release: str, today: date, told: Told) -> tuple[ReleaseInfo, list[File]]:
    from services.reporting.files import making  # noqa: PLC0415 - it takes 32 MB, and few processes ever make files

    found, enquiry = _to_publish(connection, release), Enquiry(connection, PUBLIC, today, many=True)
    enquiry.reads(found)
    return found, making.files_of(enquiry, found, _before(connection, found), told)


def _before(connection: Connection, release: ReleaseInfo) -> Before | None:
    found = release_before(connection, release)
    return None if found is None else Before(found, content_of(connection, found.id, name_of_all(found)))


def _written(database: Engine, release: str, made_of: ReleaseInfo, files: Sequence[File]) -> bool:
    """Store the files. Returns whether the release still is as they describe it."""
    with unhurried(database) as connection:
        connection.execute(insert(release_files), [_row(release, *each) for each in enumerate(files)])
        alone(connection)
        still = _says(_to_publish(connection, release)) == _says(made_of)
        if not still:
            connection.execute(delete(release_files).where(release_files.c.release == release))
    return still


def _row(release: str, place: int, file: File) -> dict[str, Any]:
    return {
        "release": release,
        "place": place,
        "name": file.name,
        "media_type": file.media_type,
        "title": file.title,
        "sha256": file.sha256,
        "size": len(file.content),
        "content": file.content,
    }


def _says(release: ReleaseInfo) -> tuple[object, ...]:
    """Return what files state of a release besides its figures, which never change."""
    return release.published_at and release.published_at.astimezone(LONDON).date(), release.notices


def _to_publish(connection: Connection, release: str) -> ReleaseInfo:
    """Return the release as it is, or as it will be once its announced day has come."""
    found = release_for(connection, _OPERATOR, release, None)
    if found is not None and found.status == DRAFT and found.held_at is not None:
        return replace(found, published_at=due_at(connection, found.last_month))
    return published(connection, release)


def published(connection: Connection, release: str) -> ReleaseInfo:
    """Return a published release. Raises NotThere for any other."""
    found = release_for(connection, PUBLIC, release, None)
    assert found is not None
    return found


def listed(connection: Connection, release: str) -> list[Listed]:
    """Return the files in the order of use; none if they have not been made yet."""
    c = release_files.c
    query = select(c.name, c.media_type, c.title, c.sha256, c.size).where(c.release == release).order_by(c.place)
    return [Listed(*row) for row in connection.execute(query)]


def content_hash(files: list[Listed]) -> str:
    """Return the hash of the list of hashes of all files."""
    return next((each.sha256 for each in files if each.name == SUMS), "")


def content_of(connection: Connection, release: str, name: str) -> bytes | None:
    """Return the content of a file; None if there is no such file."""
    c = release_files.c
    found = connection.scalar(select(c.content).where(c.release == release, c.name == name))
    return None if found is None else bytes(found)


def read(database: Engine, release: str, name: str) -> Kept:
    """Return a file with its content. Raises NotThere."""
    c = release_files.c
    query = select(c.name, c.media_type, c.title, c.sha256, c.size, c.content)
    with transaction(database) as connection:
        row = connection.execute(query.where(c.release == release, c.name == name)).one_or_none()
    if row is None:
        raise NotThere(f"Release {release} has no file {name}"[:80])
    return Kept(*row)

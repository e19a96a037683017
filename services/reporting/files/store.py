"""The files of releases in the database: made once, and the same ever after."""

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection, Engine, insert, select

from services.chassis.api.auth import PUBLIC, Identity
from services.chassis.database import transaction, unhurried
from services.reporting.figures.answers import Enquiry
from services.reporting.files.bundle import SUMS, Told, files_of
from services.reporting.read.tables import release_files
from services.reporting.registry.absent import NotThere
from services.reporting.releases.announcing import due_at
from services.reporting.releases.index import DRAFT, ReleaseInfo, release_for

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


def make_files(database: Engine, release: str, today: date, told: Told = lambda *_: None) -> None:
    """Make the files of a published release, or of one that is held, unless they are there. Raises NotThere for any other."""
    with unhurried(database) as connection:
        # One at a time makes them; whoever waited finds them made.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('release files'))")
        if listed(connection, release):
            return
        found, enquiry = _to_publish(connection, release), Enquiry(connection, PUBLIC, today, many=True)
        enquiry.reads(found)
        rows = [
            {
                "release": release,
                "place": place,
                "name": each.name,
                "media_type": each.media_type,
                "title": each.title,
                "sha256": each.sha256,
                "size": len(each.content),
                "content": each.content,
            }
            for place, each in enumerate(files_of(enquiry, found, told))
        ]
        connection.execute(insert(release_files), rows)


def _to_publish(connection: Connection, release: str) -> ReleaseInfo:
    """As it is, or as it will be once the day has come for which it is held."""
    found = release_for(connection, _OPERATOR, release, None)
    if found is not None and found.status == DRAFT and found.held_at is not None:
        return replace(found, published_at=due_at(connection, found.last_month))
    return published(connection, release)


def published(connection: Connection, release: str) -> ReleaseInfo:
    """Raises NotThere for one that is not published."""
    found = release_for(connection, PUBLIC, release, None)
    assert found is not None
    return found


def listed(connection: Connection, release: str) -> list[Listed]:
    """In the order in which people want them; none where they were not made yet."""
    c = release_files.c
    query = select(c.name, c.media_type, c.title, c.sha256, c.size).where(c.release == release).order_by(c.place)
    return [Listed(*row) for row in connection.execute(query)]


def content_hash(files: list[Listed]) -> str:
    """Of all that can be fetched: the hash of the list of hashes."""
    return next((each.sha256 for each in files if each.name == SUMS), "")


def read(database: Engine, release: str, name: str) -> Kept:
    """Raises NotThere."""
    c = release_files.c
    query = select(c.name, c.media_type, c.title, c.sha256, c.size, c.content)
    with transaction(database) as connection:
        row = connection.execute(query.where(c.release == release, c.name == name)).one_or_none()
    if row is None:
        raise NotThere(f"Release {release} has no file {name}"[:80])
    return Kept(*row)

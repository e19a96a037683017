"""A release as a publication: coverage, headlines, changes, notices, the next release, and how to cite it."""

from collections.abc import Sequence
from dataclasses import dataclass

from contracts.periods import LONDON
from services.reporting.files import data_catalogue, store
from services.reporting.files.bundle import stem
from services.reporting.files.store import Listed
from services.reporting.formats.publisher import bibtex, citation
from services.reporting.pages.content import overview, standards, words
from services.reporting.pages.content.changes import Changes, cell_changes, published_changes
from services.reporting.pages.content.choices import Choice
from services.reporting.pages.content.reader import Reader
from services.reporting.registry.areas import SCOTLAND, authorities_of
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Indicator
from services.reporting.releases import announcing
from services.reporting.releases.calendar import Announcement, to_come
from services.reporting.releases.index import DRAFT, PUBLISHED, ReleaseInfo, release_before


@dataclass(frozen=True, slots=True)
class Publication:
    """Everything on the first page of a release besides its dates."""

    choice: Choice | None
    """The period of its headlines: the newest whole year. None if its figures are no longer shown."""
    headlines: tuple[str, ...]
    authorities: int
    """How many authorities there were in its last month."""
    later: ReleaseInfo | None
    """The newest release published after it."""
    before: ReleaseInfo | None
    changes: Changes | None
    """None if the public's list of them has not been made yet, or is no longer shown."""
    definitions: tuple[tuple[Indicator, int], ...]
    awaited: Announcement | None
    """The next release that was announced."""
    announced: Announcement | None
    """The announcements of this release before it came."""
    cite: str
    bibtex: str
    files: tuple[Listed, ...]
    content_hash: str
    """The hash of the files; empty if they are not made yet."""
    whole: str
    """The name of the file that holds all others."""
    about: data_catalogue.Document | None
    """Its description for search engines."""


def publication(
    reader: Reader, release: ReleaseInfo, listed: Sequence[ReleaseInfo], address: str, area: str = SCOTLAND
) -> Publication:
    """Return the publication. `address` is where the release is published; `area` is that of the listed changes."""
    later = [each for each in listed if each.made_at > release.made_at and each.status == PUBLISHED]
    shown = release.status in {PUBLISHED, DRAFT}
    files = store.listed(reader.connection, release.id) if release.status == PUBLISHED else []
    published = (release.published_at or release.made_at).astimezone(LONDON).date()
    choice = reader.choices()[0] if shown else None
    calendar = announcing.calendar(reader.connection)
    site = address.removesuffix(f"/releases/{release.id}")
    return Publication(
        choice,
        _headlines(reader, choice),
        len(authorities_of(release.last_month, release.last_month)),
        later[0] if later else None,
        release_before(reader.connection, release),
        _changes(reader, release, area),
        tuple((INDICATORS[name], version) for name, version in release.versions.items() if name in INDICATORS),
        next(iter(to_come(calendar)), None),
        next((each for each in calendar if each.month == release.last_month), None),
        citation(release.id, published, address),
        bibtex(release.id, published, address),
        tuple(files),
        store.content_hash(files),
        f"{stem(release)}.zip",
        data_catalogue.schema_org(site, release, files) if release.status == PUBLISHED else None,
    )


def _changes(reader: Reader, release: ReleaseInfo, area: str) -> Changes | None:
    if reader.viewer.audience == "national":
        return cell_changes(reader.enquiry, release)
    return published_changes(reader.connection, release.id, area) if release.status == PUBLISHED else None


def _headlines(reader: Reader, choice: Choice | None) -> tuple[str, ...]:
    if choice is None:
        return ()
    found = overview.sentences(reader, choice, standards.standings(reader, choice.span))
    return (*found, *_by_standard(reader, choice))


def _by_standard(reader: Reader, choice: Choice) -> list[str]:
    """Describe each standard that is shown, with its interval."""
    rows = [(each, standards.row_of(reader, each, choice.span)) for each in standards.STANDARDS]
    return [
        f"{each.title}: {words.value(row.value, each.unit)} (95% interval {words.interval(row, each.unit)})."
        for each, row in rows
        if row is not None and row.value is not None
    ]

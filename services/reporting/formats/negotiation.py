"""The format that a caller wants, and whether the caller already has the answer."""

import hashlib

from fastapi import Request

from services.chassis.api.problems import Problem
from services.reporting.figures.answers import Enquiry, Question
from services.reporting.formats.writers import CSV, CSVW, EXTENSIONS, JSON, JSON_STAT, XLSX, MediaType
from services.reporting.read.vintages import Released
from services.reporting.registry.catalogue import DEFINITIONS
from services.reporting.releases.change_marker import how_far
from services.reporting.releases.index import ReleaseInfo

OFFERED: tuple[MediaType, ...] = (JSON, CSV, JSON_STAT, XLSX, CSVW)
_VERSIONS = ",".join(f"{each.id}:{each.version}:{each.status}" for each in DEFINITIONS)


def media_type(request: Request, extension: str | None) -> MediaType:
    """Return the media type by extension if there is one, else by Accept. Raises Problem 404 or 406."""
    if extension is not None:
        found = EXTENSIONS.get(extension)
        if found is None:
            raise Problem(404, f"The formats are {', '.join(EXTENSIONS)}")
        return found
    return accepted(request.headers.get("accept", "*/*"))


def accepted(header: str) -> MediaType:
    """Return the offered type that the header prefers; JSON if it has no preference. Raises Problem 406."""
    liked: list[tuple[float, int, MediaType]] = []
    for item in header.split(","):
        kind, *parameters = (part.strip().lower() for part in item.split(";"))
        quality = next((_quality(p[2:]) for p in parameters if p.startswith("q=")), 1.0)
        for place, offered in enumerate(OFFERED):
            if quality > 0 and kind in {offered, "*/*", offered.split("/")[0] + "/*"}:
                liked.append((quality, -place, offered))
    if not liked:
        raise Problem(406, f"The formats are {', '.join(OFFERED)}")
    return max(liked)[2]


def _quality(words: str) -> float:
    try:
        return float(words)
    except ValueError:
        return 0.0


def tag(enquiry: Enquiry, request: Request, kind: str, question: Question) -> str:
    """Return a strong ETag, known before the answer: it changes with anything from which the answer is made, and with nothing else.

    Otherwise, anybody who can compute it could count events that they do not see. Figures of a release depend only on what it froze.
    Raises NotThere.
    """
    viewer, (whole, published) = enquiry.viewer, enquiry.sources(question.release, question.as_of)
    made: list[object] = [None if published is None else _content(published)]
    if whole is not None and not isinstance(whole, Released):
        made += [*how_far(enquiry.connection, viewer), enquiry.today]
    parts = (_VERSIONS, request.url.path, request.url.query, kind, viewer.audience, viewer.authority, *made)
    return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'


def _content(release: ReleaseInfo) -> tuple[object, ...]:
    """Return what is stated of a release: its figures, and its status."""
    return (release.id, release.content_hash, release.status, release.published_at, release.notices)


def has_it(request: Request, etag: str) -> bool:
    """Return whether If-None-Match names this answer."""
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or etag in [part.strip().removeprefix("W/") for part in given.split(",")]

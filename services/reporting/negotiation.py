"""Which format is wanted, and whether the caller has the answer already."""

import hashlib
from datetime import date

from fastapi import Request
from sqlalchemy import Connection, func, select

from services.chassis.auth import Identity
from services.chassis.problems import Problem
from services.reporting.catalogue import DEFINITIONS
from services.reporting.formats import CSV, CSVW, EXTENSIONS, JSON, JSON_STAT, XLSX
from services.reporting.tables import checkpoints, releases

OFFERED = (JSON, CSV, JSON_STAT, XLSX, CSVW)
_VERSIONS = ",".join(f"{each.id}:{each.version}:{each.status}" for each in DEFINITIONS)


def media_type(request: Request, extension: str | None) -> str:
    """By extension where there is one, else by Accept. Raises Problem 404 or 406."""
    if extension is not None:
        found = EXTENSIONS.get(extension)
        if found is None:
            raise Problem(404, f"The formats are {', '.join(EXTENSIONS)}")
        return found
    return accepted(request.headers.get("accept", "*/*"))


def accepted(header: str) -> str:
    """The offered type that the header likes best; JSON where it does not mind. Raises Problem 406."""
    liked: list[tuple[float, int, str]] = []
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


def tag(connection: Connection, viewer: Identity, request: Request, kind: str, today: date) -> str:
    """A strong ETag, known before the answer is: it changes with anything that the answer is made of."""
    made = connection.execute(
        select(
            select(func.coalesce(func.sum(checkpoints.c.next_offset), 0)).scalar_subquery(),
            func.count(),
            func.max(releases.c.published_at),
            func.max(releases.c.withdrawn_at),
        ).select_from(releases)
    ).one()
    parts = (
        _VERSIONS,
        request.url.path,
        request.url.query,
        kind,
        viewer.audience,
        viewer.authority,
        *made,
        today,
    )
    return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'


def has_it(request: Request, etag: str) -> bool:
    """Whether If-None-Match names this answer."""
    given = request.headers.get("if-none-match", "")
    return given.strip() == "*" or etag in [part.strip().removeprefix("W/") for part in given.split(",")]

"""Which format is wanted, and whether the caller has the answer already."""

import hashlib
from datetime import date

from fastapi import Request
from sqlalchemy import Connection

from services.chassis.auth import Identity
from services.chassis.problems import Problem
from services.reporting.formats.writers import CSV, CSVW, EXTENSIONS, JSON, JSON_STAT, XLSX
from services.reporting.registry.catalogue import DEFINITIONS

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


_MADE_OF = (
    "SELECT (SELECT coalesce(sum(next_offset), 0) FROM checkpoints), count(*), max(published_at), max(withdrawn_at) "
    "FROM releases"
)
"""How far everything has got that answers are made of. In words: to put it together took longer than to ask it."""


def tag(connection: Connection, viewer: Identity, request: Request, kind: str, today: date) -> str:
    """A strong ETag, known before the answer is: it changes with anything that the answer is made of."""
    made = connection.exec_driver_sql(_MADE_OF).one()
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

"""The yearly figures as one JSON-stat 2 cube: indicators, areas and years."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

import msgspec

from services.reporting.files.tidy import MARKS, Tidy
from services.reporting.formats.publisher import LICENCE, PUBLISHER, TITLE
from services.reporting.registry.indicators import Indicator
from services.reporting.releases.index import ReleaseInfo

PROVISIONAL = {"p": "Provisional, or of part of the year only"}


def as_json_stat(release: ReleaseInfo, indicators: Sequence[tuple[Indicator, Sequence[Tidy]]]) -> bytes:
    """Return the cube. `updated` is when the release was published. A figure that is not shown is null, with its mark as status."""
    rows = {
        (row.indicator, row.area_code, row.period): row
        for _, tidy in indicators
        for row in tidy
        if row.period_type == "year" and not row.breakdown
    }
    axes = [[each.id for each, _ in indicators], *(sorted({key[place] for key in rows}) for place in (1, 2))]
    names = {row.area_code: row.area for row in rows.values()}
    cube = [(indicator, area, year) for indicator in axes[0] for area in axes[1] for year in axes[2]]
    found = [rows.get(key) for key in cube]
    status = {str(at): _status(row) for at, row in enumerate(found) if _status(row)}
    return msgspec.json.encode(
        {
            "version": "2.0",
            "class": "dataset",
            "label": f"{TITLE}: yearly figures, release {release.id}",
            "source": PUBLISHER,
            "updated": (release.published_at or release.made_at).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "href": f"/releases/{release.id}",
            "note": [f"{LICENCE.name}: {LICENCE.url}"],
            "id": ["indicator", "area", "year"],
            "size": [len(axis) for axis in axes],
            "role": {"geo": ["area"], "time": ["year"], "metric": ["indicator"]},
            "dimension": {
                "indicator": _dimension("Indicator", axes[0], {each.id: each.title for each, _ in indicators})
                | {"extension": {"unit": {each.id: each.unit for each, _ in indicators}}},
                "area": _dimension("Area", axes[1], names),
                "year": _dimension("Year from April to March", axes[2], {}),
            },
            "value": [None if row is None else row.value for row in found],
            "extension": {"release": release.id, "status": {"label": MARKS | PROVISIONAL}},
            **({"status": status} if status else {}),
        }
    )


def _dimension(label: str, codes: Sequence[str], names: dict[str, str]) -> dict[str, Any]:
    return {
        "label": label,
        "category": {"index": list(codes), "label": {code: names.get(code, code) for code in codes}},
    }


def _status(row: Tidy | None) -> str:
    if row is None:
        return "x"
    return row.mark or ("p" if row.provisional or row.partial else "")

"""The Open Data Contract Standard document of `national.aggregates`: what a subscriber may rely on."""

from typing import Any

from contracts.authorities import AUTHORITIES
from contracts.cells import MEASURES, Cell, Position
from contracts.generate import words
from contracts.topics import NATIONAL_AGGREGATES
from contracts.version import VERSION

Document = dict[str, Any]


def document() -> Document:
    """Return the whole document."""
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "payback-national-aggregates",
        "name": NATIONAL_AGGREGATES,
        "version": VERSION,
        "status": "active",
        "domain": "justice",
        "description": {
            "purpose": "Counts of what happened to community payback orders in Scotland, by authority and month, kept up to date.",
            "limitations": (
                "Counts may be as small as one: they are for those entitled to see them, and anything published "
                "from them must pass disclosure control first. Nothing about one person or one order is here."
            ),
            "usage": (
                "Read the topic from its beginning and keep the row with the greatest version of each key; rows whose "
                "generation is older than the latest position's are void. Sum over services. Zero cells are not sent."
            ),
        },
        "servers": [
            {
                "server": "kafka",
                "type": "kafka",
                "host": "as agreed with the subscriber",
                "format": "json",
                "description": "One partition, compacted. The key says what the row is about.",
            }
        ],
        "schema": [_cells(), _positions()],
        "slaProperties": [
            {"property": "retention", "value": "unlimited", "description": "The latest row of each key is kept for ever."},
            {"property": "frequency", "value": "continuous", "description": "Rows follow the events that change them."},
        ],
        "customProperties": [
            {
                "property": "measures",
                "value": [
                    {
                        "name": measure.name,
                        "meaning": measure.meaning,
                        "unit": measure.unit,
                        "period": measure.period,
                        "dimensions": list(measure.dimensions),
                        "total": measure.total,
                    }
                    for measure in MEASURES.values()
                ],
            }
        ],
    }  # fmt: skip


def _cells() -> Document:
    meaning = words.members(Cell)
    return {
        "name": "cell",
        "logicalType": "object",
        "physicalType": "json",
        "description": words.summary(Cell),
        "dataGranularityDescription": "One row for each service, authority, measure, period, category and day of change.",
        "properties": [
            _property("kind", "string", "Always cell.", enum=["cell"]),
            _property("service", "string", meaning["service"], key=1),
            _property("authority", "string", meaning["authority"], key=2, enum=list(AUTHORITIES)),
            _property("generation", "integer", meaning["generation"]),
            _property("version", "integer", meaning["version"]),
            _property("measure", "string", meaning["measure"], key=3, enum=list(MEASURES)),
            _property("period", "date", meaning["period"], key=4),
            _property("category", "string", meaning["category"], key=5),
            _property("known_on", "date", meaning["known_on"], key=6),
            _property("value", "integer", meaning["value"]),
        ],
        "quality": [
            {
                "type": "text",
                "description": "The value equals the sum over all records that the service holds; the services' tests show it.",
            },
            {
                "type": "text",
                "description": "Reading the topic twice, or from anywhere before the end, gives the same values.",
            },
        ],
    }


def _positions() -> Document:
    meaning = words.members(Position)
    return {
        "name": "position",
        "logicalType": "object",
        "physicalType": "json",
        "description": words.summary(Position),
        "properties": [
            _property("kind", "string", "Always position.", enum=["position"]),
            _property("service", "string", meaning["service"], key=1),
            _property("authority", "string", meaning["authority"], key=2, enum=list(AUTHORITIES)),
            _property("generation", "integer", meaning["generation"]),
            _property("version", "integer", meaning["version"]),
            _property("offsets", "object", meaning["offsets"]),
            _property("heard_at", "timestamp", meaning["heard_at"]),
            _property("holds", "object", meaning["holds"]) | {"required": False},
        ],
    }


def _property(
    name: str, logical: str, description: str, *, key: int | None = None, enum: list[str] | None = None
) -> Document:
    found: Document = {"name": name, "logicalType": logical, "description": description, "required": True}
    if key is not None:
        found |= {"primaryKey": True, "primaryKeyPosition": key}
    if enum is not None:
        found["quality"] = [
            {"type": "library", "metric": "invalidValues", "mustBe": 0, "arguments": {"validValues": enum}}
        ]
    return found

"""All codes of figures, with their labels and, if they have them, their names as linked data."""

from collections.abc import Iterator
from typing import Any

from services.chassis.web.categories import BREAKDOWNS, category_label
from services.reporting.disclosure.gate import Why
from services.reporting.formats.linked_names import area_uri
from services.reporting.registry.areas import AREA_NAMES
from services.reporting.registry.catalogue import INDICATORS

_MARKS = {why.mark: str(why).capitalize() for why in Why} | {
    "x": "Not reported by the authority",
    "z": "No cases, so that there is no rate",
    "p": "Provisional, or of part of the period only",
}


def code_lists() -> list[dict[str, Any]]:
    """Return areas, indicators, marks, and the categories of each breakdown."""
    return [
        _list("area", "Areas", ((code, name, area_uri(code)) for code, name in AREA_NAMES.items())),
        _list("indicator", "Indicators", ((each.id, each.title, None) for each in INDICATORS.values())),
        _list("mark", "Marks of figures", ((mark, said, None) for mark, said in _MARKS.items())),
        *(_list(name, title, _categories(name)) for name, title in BREAKDOWNS.items()),
    ]


def _categories(breakdown: str) -> Iterator[tuple[str, str, None]]:
    found = {
        part.category: category_label(part.category)
        for indicator in INDICATORS.values()
        for name, parts in indicator.breakdowns
        if name == breakdown
        for part in parts
    }
    yield from ((code, label, None) for code, label in found.items())


def _list(name: str, title: str, codes: Iterator[tuple[str, str, str | None]]) -> dict[str, Any]:
    listed = [{"code": code, "label": label, "uri": uri} for code, label, uri in codes]
    return {"id": name, "title": title, "codes": listed}

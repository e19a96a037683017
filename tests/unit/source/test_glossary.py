"""The glossary says what the names of the rooms mean, and names nothing that is not there."""

import re
from pathlib import Path

import pytest

from tests.support.source import FILES, ROOT

GLOSSARY = ROOT / "docs" / "glossary.md"
ROOMS = {
    *(f"records/{room}" for room in ("model", "returns", "upkeep", "config", "trees", "webhooks")),
    *(f"records/ingest{room}" for room in ("", "/guarding", "/publishing", "/sequences")),
    *(f"records/api{room}" for room in ("", "/decisions", "/duties", "/findings", "/receipts")),
    *(
        f"reporting/{room}"
        for room in ("registry", "statistics", "read", "ingest", "disclosure", "releases", "figures", "formats")
    ),
}
OF_EVERY_SERVICE = {
    *(
        "answers",
        "cache",
        "commands",
        "described",
        "intake_schemas",
        "metrics",
        "migrations",
        "order_schemas",
        "policies",
    ),
    *(
        "queries",
        "query_cache",
        "run_api",
        "run_webhooks",
        "run_worker",
        "settings",
        "store",
        "tables",
        "worker",
        "writers",
    ),
}
"""Words that say nothing of the field."""


def rows() -> list[tuple[str, str]]:
    """Return each word, and where it stands."""
    lines = [line for line in GLOSSARY.read_text().splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]
    return [(word, where) for word, _, where in cells]


def places() -> set[str]:
    return {place for _, where in rows() for place in re.findall(r"`([\w/.]+)`", where)}


def test_words_are_in_their_order_and_once() -> None:
    words = [word for word, _ in rows()]
    assert len(words) > 40
    assert words == sorted(set(words))


def test_every_place_is_there() -> None:
    missing = {
        place
        for place in places()
        if not any(path.exists() for path in (ROOT / place, ROOT / f"{place}.py", ROOT / "services" / f"{place}.py"))
    }
    assert missing == set()


@pytest.mark.parametrize("page", ["architecture.md", "contributor.md"])
def test_every_file_that_a_page_names_is_there(page: str) -> None:
    named = set(re.findall(r"`((?:contracts|services|deploy|tests)/[\w/.-]+)`", (ROOT / "docs" / page).read_text()))
    assert len(named) > 10
    assert {name for name in named if not (ROOT / name).exists()} == set()


def test_every_module_of_the_rooms_is_explained() -> None:
    modules = {
        str(path.relative_to("services").with_suffix(""))
        for path in FILES
        if path.is_relative_to("services") and str(path.parent.relative_to("services")) in ROOMS
    }
    assert len(modules) > 40
    named = {module for module in modules if Path(module).name in OF_EVERY_SERVICE | {"__init__"}}
    assert modules - named - places() == set(), "say in docs/glossary.md what it means"


ONE_MEANING = ("Desk", "Engine", "Gate", "Outcome", "Record", "Refused", "Shard", "Source", "Standing")


@pytest.mark.parametrize("word", ONE_MEANING)
def test_a_word_that_had_several_meanings_names_one_thing(word: str) -> None:
    defined = re.compile(rf"^(?:class {word}\b|{word} = )", re.MULTILINE)
    assert len([path for path in FILES if defined.search((ROOT / path).read_text())]) <= 1
    assert word.lower() in {each for each, _ in rows()}

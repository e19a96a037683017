"""Refusals and findings are followed with nothing missed or told twice, whatever restarts."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from services.chassis.failures import Away
from services.orders import findings as orders
from services.records.ingest import store
from services.unpaid_work import findings as unpaid_work
from tests.integration.records.conftest import Bench
from tests.support import scenario
from tests.support.desk import ManagersView, client

TODAY = "2026-09-30"
RULES = {"orders": orders.RULES, "unpaid_work": unpaid_work.RULES}
FOLLOWED = ("S12000036", "S12000005", "S12000047")


class Follower:
    """A program of one authority, which keeps nothing but the cursor and what it was told."""

    def __init__(self, view: ManagersView) -> None:
        self._view, self._after = view, ""
        self.told: list[dict[str, Any]] = []

    def catch_up(self) -> None:
        while True:
            piece = self._view.get("changes", after=self._after, limit=3)
            self.told += piece["changes"]
            self._after = piece["next"]
            if len(piece["changes"]) < 3:
                return


def fetches(bench: Bench) -> Iterator[Any]:
    lines = [(kind, code, list(found)) for kind, code, found in scenario.topics() if kind in bench.domain.kinds]
    yield from scenario.slices(lines, 40, 0)


@pytest.mark.parametrize("name", ["orders", "unpaid_work"])
def test_what_is_followed_adds_up_to_what_is_held(
    bench: Callable[[str], Bench], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = bench(name)
    views = {code: ManagersView(client(one.database, one.domain, TODAY), code) for code in FOLLOWED}
    followers = {code: Follower(view) for code, view in views.items()}
    for fetch in fetches(one):
        with monkeypatch.context() as patch:  # a worker is lost before its commit, and another takes its place
            patch.setattr(store, "bump", lost)
            with pytest.raises(Away):
                one.worker().process(fetch)
        one.worker().process(fetch)
        for follower in followers.values():
            follower.catch_up()
    kinds: Counter[str] = Counter()
    for code, view in views.items():
        told = followers[code].told
        kinds.update(change["kind"] for change in told)
        places = [tuple(map(int, change["cursor"].split("."))) for change in told]
        assert places == sorted(set(places))
        assert standing(told, "found", "settled", "subject") == held(view, name)
        refused = {(one["offset"], None) for one in view.pages("rejections", "rejections", open="true")}
        assert {(offset, None) for offset, _ in standing(told, "refused", "mended", "offset")} == refused
        assert all(change["remedy"] for change in told if change["kind"] in {"found", "refused"})
    assert min(kinds[kind] for kind in ("found", "refused")) > 0, kinds


def lost(*_: object) -> None:
    raise Away("lost before its commit")


def standing(told: list[dict[str, Any]], comes: str, goes: str, about: str) -> set[tuple[Any, Any]]:
    """Return the changes that came and have not gone. Nothing comes twice, or goes before it came."""
    found: set[tuple[Any, Any]] = set()
    for change in told:
        key = change[about], change["rule"] if about == "subject" else None
        if change["kind"] == comes:
            assert key not in found
            found.add(key)
        elif change["kind"] == goes:
            found.remove(key)
    return found


def held(view: ManagersView, name: str) -> set[tuple[Any, Any]]:
    """Return the rules that single orders break; findings between authorities and sources are not followed."""
    rules = {rule.code for rule in RULES[name]}
    return {(one["subject"], one["rule"]) for one in view.pages("findings", "findings") if one["rule"] in rules}


def test_a_cursor_of_books_that_were_made_again_begins_anew(bench: Callable[[str], Bench]) -> None:
    one = bench("orders")
    for fetch in fetches(one):
        one.worker().process(fetch)
    view = ManagersView(client(one.database, one.domain, TODAY), FOLLOWED[0])
    whole = view.get("changes", limit=1000)
    assert view.get("changes", after="7.9999.1", limit=1000) == whole
    assert view.get("changes", after=whole["next"])["changes"] == []
    assert view.ask("changes", after="nothing").status_code == 422

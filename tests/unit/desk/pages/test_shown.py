"""Pages of the desk over services that are made up: what a page asks for, and that it shows what it was told."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from services.chassis.api.auth import COOKIE
from services.chassis.metrics import new_registry
from services.chassis.settings import HttpSettings, TokenSettings
from services.desk.app import build
from services.desk.pages.figures import AT_ONCE
from services.desk.settings import ApiSettings, PlatformSettings
from tests.support.desk import keys, token

FIFE = "S12000047"
Answers = Mapping[str, Any]
"""By path, for both services, or by `orders` or `unpaid_work` and path for one."""
Asking = Callable[[Answers], tuple[TestClient, list[str]]]


@pytest.fixture
def desk() -> Iterator[Asking]:
    """Yield a maker of desks whose services give these answers, with the list of what they were asked for."""
    with ExitStack() as running:

        def make(answers: Answers) -> tuple[TestClient, list[str]]:
            platform, asked = PlatformSettings(), list[str]()
            names = {platform.orders_url: "orders", platform.unpaid_work_url: "unpaid_work"}

            def answer(request: httpx.Request) -> httpx.Response:
                service = next(name for url, name in names.items() if f"{request.url}".startswith(url))
                path = request.url.path.removeprefix("/v1/")
                asked.append(f"{service} {path}")
                return httpx.Response(200, json=answers.get(f"{service} {path}", answers.get(path)))

            settings = ApiSettings(
                tokens=TokenSettings(public_key=keys().public, development=True), http=HttpSettings(port=0)
            )
            client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
            site = running.enter_context(TestClient(build(settings, new_registry(), client)))
            bearer = token(FIFE, "orders:read")["Authorization"].removeprefix("Bearer ")
            site.cookies.set(COOKIE, bearer)
            return site, asked

        yield make


def rows_of(page: str) -> dict[str, list[str]]:
    """Return the cells of each row of all tables, by its heading."""
    rows = re.findall(r'<tr[^>]*>\s*<th scope="row">(.*?)</th>(.*?)</tr>', page, re.DOTALL)
    return {
        plain(heading): [plain(cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", cells, re.DOTALL)]
        for heading, cells in rows
    }


def plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def held(applied: int) -> dict[str, Any]:
    counts = dict.fromkeys(("orders", "orders_open", "orders_ended", "orders_withdrawn", "orders_not_imposed"), 1)
    return {
        **counts,
        "events": {"applied": applied, "superseded": 4, "duplicate": 3, "rejected": 2, "put_aside": 0},
        "rejected": {},
        "rejected_open": 2,
        "last_heard_at": None,
    }


PARTS = {"accepted": 13, "counting": 4, "withdrawals": 2, "of_withdrawn_orders": 1, "about_itself": 3, "replaced": 3}
KIND = {"event": "session.recorded", "counting": 62, "withdrawn": 5}
HELD = {
    "held": held(13),
    "counted": {"cells": []},
    "held/facts": {**PARTS, "kinds": []},
    "unpaid_work held/facts": {**PARTS, "counting": 62, "accepted": 71, "kinds": [KIND]},
    "duties": {"today": "2026-11-27", "until": "2026-12-04", "counts": [], "caseloads": [], "items": [], "next": None},
}


def test_accepted_events_are_divided_into_what_became_of_them(desk: Asking) -> None:
    site, _ = desk(HELD)
    page = rows_of(site.get("/held").raise_for_status().text)
    assert page["Accepted"] == ["13", "71"]
    assert page["Count now"] == ["4", "62"]
    parts = [
        *("Count now", "Take something back", "Replaced by a later event about the same fact"),
        *(
            "About orders that count nowhere: withdrawn as a whole, or with too many facts",
            "Signs of life and totals of months",
        ),
    ]
    assert [sum(int(page[part][place]) for part in parts) for place in (0, 1)] == [13, 71]
    assert page["A planned session of unpaid work or other activity was recorded. session.recorded"] == ["62", "5"]


def test_many_events_are_divided_on_request(desk: Asking) -> None:
    """Every record is read for it, which takes long."""
    site, asked = desk({**HELD, "orders held": held(AT_ONCE)})
    page = site.get("/held").raise_for_status().text
    assert rows_of(page)["Accepted"] == [f"{AT_ONCE:,}", "13"]
    assert not [one for one in asked if "facts" in one]
    link = re.search(r'href="(/held\?facts=[^"#]+)', page)
    assert link
    divided = rows_of(site.get(link[1].replace("&amp;", "&")).raise_for_status().text)
    assert divided["Count now"] == ["4", "62"]


def duty(day: str, due_on: str, own: str | None, urgency: str, left: int) -> dict[str, Any]:
    return {
        "subject": f"CPO/{day}",
        "imposed_on": "2026-11-20",
        "standard": "placement",
        "title": "First placement",
        "due_on": due_on,
        "own_target_on": own,
        "day": day,
        "working_days_left": left,
        "urgency": urgency,
        "place": "x",
    }


def test_a_row_shows_the_day_by_which_it_is_in_its_list(desk: Asking) -> None:
    """And beside it the other one, if that says something else."""
    items = [
        duty("2026-12-04", "2026-12-08", "2026-12-04", "soon", 4),
        duty("2026-12-03", "2026-12-03", "2026-11-26", "soon", 3),
        duty("2026-11-25", "2026-12-09", "2026-11-25", "past_target", -2),
        duty("2026-12-02", "2026-12-02", None, "soon", 2),
    ]
    counts = [
        {"standard": "placement", "title": "First placement", "urgency": urgency, "number": number}
        for urgency, number in (("soon", 3), ("past_target", 1))
    ]
    nothing: dict[str, Any] = {"today": "2026-11-27", "until": "2026-12-04", "caseloads": [], "next": None}
    at_risk = {"today": "2026-11-27", "orders": 0, "hours_left": 0, "caseloads": [], "items": [], "next": None}
    site, _ = desk(
        {
            "held": held(1),
            "findings/counts": {"newly_since": "2026-11-20", "rules": []},
            "duties": {**nothing, "counts": [], "items": []},
            "unpaid_work duties": {**nothing, "counts": counts, "items": items},
            "at-risk": at_risk,
        }
    )
    page = site.get("/").raise_for_status().text
    due_on = {heading: (cells[1], cells[2]) for heading, cells in rows_of(page).items()}
    assert due_on == {
        "CPO/2026-12-02": ("Wed 2 December 2026", "2 working days left"),
        "CPO/2026-12-03": ("Thu 3 December 2026 our own target, Thu 26 November, has passed", "3 working days left"),
        "CPO/2026-12-04": ("Fri 4 December 2026 by our own target; nationally Tue 8 December", "4 working days left"),
        "CPO/2026-11-25": ("Wed 25 November 2026 by our own target; nationally Wed 9 December", "2 working days late"),
    }
    leader = re.search(r'ds_leader">(.*?)</p>', page, re.DOTALL)
    assert leader
    assert plain(leader[1]) == (
        "0 duties are overdue, none fall due today and 3 by 4 December 2026. "
        "1 more is past our own target, and nationally due later."
    )
    assert page.index("Past our own target</h2>") > page.index("five working days</h2>")


FINDING = {
    "rule": "transfer_out_unmatched",
    "subject": "CPO/1",
    "on": "2026-09-01",
    "meaning": "The order was transferred out, but no authority reports receiving it.",
    "remedy": "Ask the other authority.",
    "facts": ["ended"],
    "detail": None,
    "since": "2026-10-01",
}


def test_the_list_and_the_page_of_an_order_show_what_is_found_about_it(desk: Asking) -> None:
    row: dict[str, Any] = {
        "subject": "CPO/1",
        "imposed_on": "2026-01-05",
        "ended_on": "2026-09-01",
        "late": [],
        "overdue": [],
    }
    row |= {"next_due_on": None, "findings": [FINDING["rule"]], "caseload": None}
    order: dict[str, Any] = {
        "subject": "CPO/1",
        "imposed_on": "2026-01-05",
        "ended_on": "2026-09-01",
        "withdrawn": False,
    }
    order |= {"clocks": [], "timeline": [], "facts": [], "transfers": [], "findings": [FINDING]}
    ledger: dict[str, Any] = {
        "subject": "CPO/1",
        "ordered": [],
        "hours_ordered": 0,
        "hours_credited": 0,
        "credited_by_activity": {},
    }
    ledger |= {"hours_outstanding": 0, "deadline": None, "forecast": None, "clocks": [], "timeline": [], "facts": []}
    site, _ = desk(
        {
            **HELD,
            "orders": {"orders": [row], "next": None},
            "unpaid_work orders": {"orders": [], "next": None},
            "orders/CPO/1": order,
            "ledgers/CPO/1": {**ledger, "findings": []},
        }
    )
    assert rows_of(site.get("/orders").raise_for_status().text)["CPO/1"][-1] == "1"
    page = plain(site.get("/orders/CPO/1").raise_for_status().text)
    assert "What is wrong The order was transferred out" in page
    assert "1 September 2026, ended; known since 1 October 2026" in page

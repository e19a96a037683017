"""The three worked mappings with their extracts, day by day: the events that must come out."""

from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from contracts.decoding.codec import Event
from contracts.decoding.validation import judge
from services.connect.comparing.compare import compare
from services.connect.extracts.sources import extracts_in
from services.connect.home import Home
from services.connect.mapping.loading import load_mapping
from services.connect.result import ImportResult
from services.connect.state import State
from services.connect.work import Job

ARRIVED = datetime(2026, 3, 5, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[3] / "docs/examples/connect"


class Desk:
    """One worked mapping, and what has been said so far."""

    def __init__(self, mapping: str, state: State) -> None:
        self.folder = (EXAMPLES / mapping).parent
        self.job = Job(load_mapping(EXAMPLES / mapping), Home(self.folder / "no.connect"), None)
        self.state, self.last = state, 0

    def morning(self, *files: str) -> tuple[ImportResult, list[tuple[str, Any, datetime]]]:
        """Return the outcome of an import, and subject, fact and time of recording of each event."""
        extracts = extracts_in(self.job.mapping, [self.folder / name for name in files], self.state, None)
        result = compare(self.job.setting(self.state, b"k" * 32), extracts, keep=True)
        new = self.state.waiting(self.last, 10_000)
        self.last = new[-1].place if new else self.last
        events = [event for one in new if isinstance(event := judge(one.body, ARRIVED), Event)]
        assert len(events) == len(new)
        return result, [(event.subject, event.data, event.time) for event in events if event.subject != "-"]


def said(events: list[tuple[str, Any, Any]]) -> list[tuple[str, str]]:
    return sorted((subject, fact.fact if fact.NAME == "fact.withdrawn" else fact.NAME) for subject, fact, _ in events)


def test_one_row_for_each_order() -> None:
    with closing(State(None)) as state:
        desk = Desk("one-row-per-order/orders.yaml", state)
        result, events = desk.morning("orders 2026-03-02.xlsx")
        assert (result.status, result.totals, len(events)) == (0, 1, 30)
        first = {(subject, fact.NAME): fact for subject, fact, _ in events}
        imposed = first["SH-25/0160", "order.imposed"]
        assert (imposed.imposed_on, imposed.age_at_imposition, str(imposed.court_type)) == (
            date(2025, 12, 1),
            22,
            "justice_of_the_peace",
        )
        assert [(each.hours, each.complete_by) for each in imposed.requirements] == [(80, date(2026, 6, 30))]
        assert first["SH-25/0160", "contact.made"].made_on == date(2025, 12, 9)
        assert str(first["SH-25/0160", "contact.made"].late_reason) == "other_service"
        same_person = {first[order, "order.imposed"].person_ref for order in ("SH-25/0141", "SH-26/0003")}
        assert len(same_person) == 1
        assert len({fact.person_ref for (_, name), fact in first.items() if name == "order.imposed"}) == 6

        result, events = desk.morning("orders 2026-03-03.xlsx")
        (refusal,) = result.refusals
        assert str(refusal).startswith(
            "Orders!G12: court 'Lerwik' is not known; did you mean 'Lerwick Sheriff' (Sheriff summary)"
        )
        assert said(events) == [
            ("SH-25/0160", "work.completed"), ("SH-26/0012", "induction.held"), ("SH-26/0014", "contact.made"),
            ("SH-26/0015", "order.received"),
        ]  # fmt: skip

        result, events = desk.morning("orders 2026-03-03.xlsx")
        assert (result.status, events) == (1, [])

        result, events = desk.morning("orders 2026-03-04.xlsx")
        assert result.status == 0
        assert said(events) == [
            ("SH-25/0141", "order.ended"), ("SH-25/0141", "work.completed"), ("SH-25/0160", "work_completed"),
            ("SH-26/0009", "placement.started"), ("SH-26/0015", "order.imposed"),
        ]  # fmt: skip
        assert {time for _, _, time in events} == {datetime(2026, 3, 4, 23, 59, 59, tzinfo=UTC)}
        assert result.worth_knowing() == [
            "Orders: the imposition, received and first contact of order SH-25/0152 have gone; they still count."
        ]


def test_one_sheet_for_each_kind_of_event() -> None:
    with closing(State(None)) as state:
        desk = Desk("one-sheet-per-event/casework.yaml", state)
        result, events = desk.morning("casework_20260302.xlsx")
        assert (result.status, len(events)) == (0, 26)
        recorded = {subject: time for subject, fact, time in events if fact.NAME == "order.imposed"}
        assert recorded["INV-1044"] == datetime(2026, 2, 17, 10, tzinfo=UTC), (
            "the case system knows when it was entered"
        )
        minutes = {fact.ref: fact.minutes_credited for _, fact, _ in events if fact.NAME == "session.recorded"}
        assert minutes == {f"D500{n}": hours * 60 for n, hours in enumerate((7, 0, 7, 6.5, 3, 0, 0, 3.5))}

        result, events = desk.morning("casework_20260303.xlsx")
        assert said(events) == [
            ("INV-1043", "session.recorded"), ("INV-1043", "work.completed"), ("INV-1044", "induction.held"),
            ("INV-1044", "order.imposed"),
        ]  # fmt: skip
        assert desk.morning("casework_20260303.xlsx")[1] == []

        result, events = desk.morning("casework_20260304.xlsx")
        assert said(events) == [
            ("INV-1041", "session.recorded"),
            ("INV-1043", "order.ended"),
            ("INV-1043", "session/D5005"),
        ]
        assert result.status == 0


def test_past_years() -> None:
    with closing(State(None)) as state:
        desk = Desk("past-years/return.yaml", state)
        result, events = desk.morning("return-2021-22.csv", "return-2022-23.csv")
        assert result.status == 0
        assert sum(fact.NAME == "order.imposed" for _, fact, _ in events) == 24
        ended = sum(fact.NAME == "order.ended" for _, fact, _ in events)
        assert result.open_orders == 24 - ended > 0
        assert f"{result.open_orders} order of these years without an end: still open." in list(result.lines(done=True))
        for _, fact, time in events:
            assert time.date() == max(getattr(fact, name) for name in fact.DATES), "as if told on the day"
        assert not [one for one in state.waiting(0, 10_000) if b"heartbeat" in one.body], "no sign of life of today"
        assert desk.morning("return-2022-23.csv")[1] == []
        assert desk.morning("return-2021-22.csv")[1] == []
        assert state.open_orders() == result.open_orders

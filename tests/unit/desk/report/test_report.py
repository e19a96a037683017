"""The sentences of a report say what the figures say, and nothing beyond chance that is not."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from io import BytesIO
from statistics import correlation

import pytest
from docx import Document
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from services.chassis.api.problems import Problem
from services.chassis.web.charts import HEIGHT
from services.desk.pages.reports import drawn
from services.desk.report.aims import before_and_after
from services.desk.report.chance import FEWEST, Difference, Share, compared, trend
from services.desk.report.evidence import evidence
from services.desk.report.figures import Comparison, Indicator, Placed, Quality, Row, Series
from services.desk.report.gathering import quarters_up_to, span_of, told_shares, years_up_to
from services.desk.report.model import Aim, Report, Told
from services.desk.report.sentences import report, sentences_of
from services.desk.report.writing import as_docx

FIFE = "S12000047"
CONTACT = Indicator(
    "first_contact_within_1",
    "First contact within 1 working day",
    "",
    "Standards",
    "share",
    "percent",
    "higher",
    "1 working day",
)
RECORDED = datetime(2026, 1, 1, tzinfo=UTC)


def row(met: float | None, of: float | None, period: str = "2026-Q3", authority: str = FIFE) -> Row:
    value = None if met is None or not of else 100 * met / of
    return Row(authority, period, met, of, value, value, value)


def comparison(mine: Row, scotland: Row | None = None, place: str | None = "within") -> Comparison:
    placed = Placed(mine, place)  # type: ignore[arg-type]
    return Comparison(CONTACT, scotland, [placed], Quality([FIFE], [], []))


def told(now: Comparison, before: Comparison | None = None, **more: object) -> Told:
    values: dict[str, object] = {
        "authority": FIFE, "name": "Fife", "span": span_of("2026-Q3"),
        "today": date(2026, 11, 1), "comparisons": [now],
        "earlier": {CONTACT.id: before} if before else {}, "months": {}, "counts": [], "aims": [],
        "wrong": 1, "newly_wrong": 0, "refused": 2,
    }  # fmt: skip
    return Told(**(values | more))  # type: ignore[arg-type]


def text_of(made: Report) -> str:
    return "\n".join(sentence for section in made.sections for sentence in section.sentences)


@given(st.integers(0, 400), st.integers(1, 400), st.integers(0, 400), st.integers(1, 400))
def test_beyond_chance_is_what_a_statistician_says(a: int, of_a: int, b: int, of_b: int) -> None:
    from scipy.stats import chi2_contingency

    one, other = Share(min(a, of_a), of_a), Share(min(b, of_b), of_b)
    said = compared(one, other)
    table = [[one.met, one.of - one.met], [other.met, other.of - other.met]]
    if min(of_a, of_b) < FEWEST:
        assert said is Difference.TOO_FEW
    elif one.met + other.met in {0, of_a + of_b}:
        assert said is Difference.BY_CHANCE
    else:
        beyond = float(chi2_contingency(table, correction=False)[1]) < 0.0499958
        assert (said is not Difference.BY_CHANCE) == beyond
        if beyond:
            assert said is (Difference.HIGHER if other.percent > one.percent else Difference.LOWER)
    turned = {Difference.HIGHER: Difference.LOWER, Difference.LOWER: Difference.HIGHER}.get(said, said)
    assert compared(other, one) is turned


def test_a_share_is_told_with_its_trend_and_beside_scotland() -> None:
    now, before = comparison(row(90, 100), row(4500, 5000, authority="S92000003")), comparison(row(70, 100, "2026-Q2"))
    said = " ".join(sentences_of(told(now, before), now))
    assert said.startswith("First contact within 1 working day: 90 of 100, 90.0 %")
    assert "In April to June 2026 it was 70.0 %: it rose by more than chance, an improvement." in said
    assert "Scotland's is 90.0 %; the difference is within what chance alone explains" in said


@pytest.mark.parametrize(
    ("place", "words"),
    [("alert", "below it by more than chance explains (beyond the 95 % limit)"), ("alarm", "99.8 %")],
)
def test_what_lies_outside_the_limits_is_said_so(place: str, words: str) -> None:
    now = comparison(row(50, 100), row(4500, 5000), place)
    made = report(told(now))
    assert words in text_of(made)
    assert "Away from Scotland's figure by more than chance: first contact within 1 working day." in text_of(made)


def test_what_is_hidden_or_not_there_is_never_zero() -> None:
    """Nor is it said that there was nothing to count, unless that is known."""
    hidden, nothing = comparison(row(None, None)), comparison(row(0, 0))
    elsewhere = comparison(row(9, 12, authority="S12000005"))
    for unknown in (hidden, elsewhere):
        assert sentences_of(told(unknown), unknown) == [
            f"{CONTACT.title}: there is no figure for July to September 2026."
        ]
    assert sentences_of(told(nothing), nothing) == [
        f"{CONTACT.title}: there was nothing to count in July to September 2026."
    ]


def two(first: Row, second: Row, scotland: Row | None = None, before: Row | None = None) -> Told:
    """Return two figures, of which only the second may have something to be compared with."""
    other = structs.replace(CONTACT, id="plan_within_20", title="Plan within 20 working days")
    one, another = comparison(first, place=None), structs.replace(comparison(second, scotland), indicator=other)
    earlier = {other.id: structs.replace(comparison(before), indicator=other)} if before else {}
    return told(one, comparisons=[one, another], earlier=earlier)


def test_what_holds_of_every_figure_is_said_once() -> None:
    late = structs.replace(row(9, 12), provisional=True)
    said = text_of(report(two(late, late)))
    assert said.count("provisional") == said.count("All figures are provisional: they can still change.") == 1
    assert said.count("no figure") == 2
    assert (
        "Better than in April to June 2026, by more than chance: cannot be compared, since there are no figures of April"
        in said
    )
    assert (
        "Away from Scotland's figure by more than chance: cannot be compared, since Scotland has no published" in said
    )
    assert "nothing" not in said


def test_what_holds_of_one_figure_is_said_of_that_one() -> None:
    late = structs.replace(row(9, 12), provisional=True)
    said = text_of(report(two(late, row(90, 100), row(4500, 5000), row(70, 100, "2026-Q2"))))
    first = next(line for line in said.splitlines() if line.startswith(CONTACT.title))
    assert "There is no figure for April to June 2026 to compare it with." in first
    assert "Scotland has no published figure to compare it with." in first
    assert "The figure is provisional: it can still change." in first
    assert "Better than in April to June 2026, by more than chance: plan within 20 working days." in said
    assert "Away from Scotland's figure by more than chance: nothing." in said


@pytest.mark.parametrize(("met", "of", "said"), [(0, 10, True), (0, 9, False), (1, 10, False)])
def test_what_was_never_recorded_is_not_taken_for_never_done(met: int, of: int, said: bool) -> None:
    now = comparison(row(met, of))
    assert (
        "Not one is recorded: if they were done, their records were not sent." in sentences_of(told(now), now)
    ) is said
    breaches = structs.replace(now, indicator=structs.replace(CONTACT, direction_of_good="lower"))
    assert not any("Not one" in one for one in sentences_of(told(breaches), breaches))


def about_reporting(made: Comparison) -> Comparison:
    indicator = structs.replace(
        CONTACT, id="reported_within_7_days", title="Reported within 7 days", theme="Data quality", standard=None
    )
    return structs.replace(made, indicator=indicator)


@pytest.mark.parametrize(("day", "first_load"), [((2026, 8, 9), True), ((2026, 5, 1), True), ((2026, 4, 1), False)])
def test_what_is_about_reporting_is_not_better_than_a_first_load(day: tuple[int, int, int], first_load: bool) -> None:
    now, before = about_reporting(comparison(row(40, 50))), about_reporting(comparison(row(0, 50, "2026-Q2")))
    seen = told(now, earlier={now.indicator.id: before}, first_heard=date(*day))
    short = next(one for one in report(seen).sections if one.title == "In short")
    assert ("reported within 7 days" in " ".join(short.sentences)) is not first_load
    said = " ".join(sentences_of(seen, now))
    assert ("an improvement" in said) is not first_load
    assert ("which began before our first data arrived" in said) is first_load


def test_what_is_about_reporting_has_no_records_of_its_own() -> None:
    late = about_reporting(comparison(row(0, 50)))
    said = " ".join(sentences_of(told(late, first_heard=date(2026, 11, 27)), late))
    assert "Not one is recorded" not in said
    assert "Our first data arrived on 27 November 2026." in said


def test_numbers_of_today_in_a_report_of_the_past_say_so() -> None:
    """And a count of nothing sent is not one of nothing done."""
    hours = Series(structs.replace(CONTACT, id="hours_credited", title="Hours", kind="count"), [
        structs.replace(row(None, None, period), value=value) for period, value in (("2026-Q2", 0.0), ("2026-Q3", 62.5))
    ])  # fmt: skip
    seen = told(comparison(row(90, 100)), capacity="At the pace of the 92 days.", counts=[hours])
    sections = {section.title: section for made in (report(seen), evidence(seen)) for section in made.sections}
    today = "oday, 1 November 2026"
    assert today in sections["Capacity for unpaid work"].sentences[0]
    assert any(today in one and "newly" in one for one in sections["Quality of data"].sentences)
    numbers = sections["Numbers"].table
    assert numbers is not None
    assert numbers.rows == [("Hours", "62.5", "none recorded")]


def test_months_that_are_left_out_of_an_aim_are_named() -> None:
    early = [row(None, None, f"2024-{number + 1:02}") for number in range(12)]
    late = structs.replace(row(1, 20, "2026-07"), provisional=True)
    series = Series(CONTACT, [*early, *months(10, 19), late])
    aim = Aim("first_contact", date(2025, 12, 12), 90, "A duty officer at court")
    made = report(told(comparison(row(90, 100)), months={CONTACT.id: series}, aims=[aim]))
    assert "since then 88.6 %, without July 2026, which can still change: it rose" in text_of(made)
    table = next(one.table for one in made.sections if one.chart is not None)
    assert table is not None
    assert table.rows[0][0] == "January 2025", "not from the first month of which nothing is known"


def months(before: int, after: int) -> Iterator[Row]:
    for number in range(12):
        yield row(before, 20, f"2025-{number + 1:02}")
    for number in range(6):
        yield row(after, 20, f"2026-{number + 1:02}")


def test_an_aim_says_whether_what_followed_is_beyond_chance() -> None:
    series = Series(CONTACT, list(months(10, 19)))
    aim = Aim("first_contact", date(2026, 1, 12), 90, "A duty officer at court")
    assert before_and_after(series, FIFE, aim.since) == (Share(120, 240), Share(114, 120))
    made = text_of(report(told(comparison(row(90, 100)), months={CONTACT.id: series}, aims=[aim])))
    assert (
        "In the 12 months before it was 50.0 %, since then 95.0 %: it rose by more than chance. The aim is reached."
        in made
    )
    same = Series(CONTACT, list(months(10, 10)))
    made = text_of(report(told(comparison(row(90, 100)), months={CONTACT.id: same}, aims=[aim])))
    assert "no difference beyond chance. The aim is not reached." in made


@pytest.mark.parametrize("write", [report, evidence])
def test_an_aim_is_drawn_month_by_month_with_its_target_and_the_day_of_the_change(
    write: Callable[[Told], Report],
) -> None:
    early = row(None, None, "2026-07")
    series = Series(CONTACT, [*months(10, 19), early, *(row(1, 2, "2026-01", "S12000005"),)])
    aim = Aim("first_contact", date(2026, 2, 12), 97, "A duty officer at court")
    made = write(told(comparison(row(90, 100)), months={CONTACT.id: series}, aims=[aim]))
    section = next(one for one in made.sections if one.chart is not None)
    assert section.chart is not None
    assert section.table is not None
    assert [one[0] for one in section.table.rows][::17] == ["February 2025", "July 2026"]
    assert [f"{one[1]:.1f} %" if one[1] is not None else "not shown" for one in section.chart.months] == [
        one[-1] for one in section.table.rows
    ]
    assert section.chart.months[section.chart.since or 0][0] == "02/26"
    picture = drawn(section.chart)
    assert picture.count('class="pb_reference"') == 2 * 2
    assert "The line across is the aim of 97 %, the line down the change from 12 February 2026." in picture
    heights = [float(y) for y in re.findall(r'class="pb_reference" x1="[\d.]+" x2="[\d.]+" y1="([\d.]+)"', picture)]
    assert all(0 < y < HEIGHT for y in heights), "the aim is within the picture, though no month has reached it"


def test_the_document_to_edit_holds_every_sentence_and_table() -> None:
    made = report(told(comparison(row(90, 100), row(4500, 5000))))
    document = Document(BytesIO(as_docx(made)))
    written = [paragraph.text for paragraph in document.paragraphs]
    assert all(sentence in written for section in made.sections for sentence in section.sentences)
    assert [[cell.text for cell in line.cells] for line in document.tables[0].rows][1] == [
        *(CONTACT.title, "90", "100", "90.0 %", "not shown", "90.0 %")
    ]
    assert [p.text for p in document.paragraphs if p.style and p.style.name == "Heading 1"] == [
        s.title for s in made.sections
    ]


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 60)), min_size=2, max_size=8))
def test_a_trend_is_what_a_statistician_says(pairs: list[tuple[int, int]]) -> None:
    """Cochran and Armitage: as many as there are cases, times the square of the correlation of time and success."""
    shares = [Share(min(met, of), of) for met, of in pairs]
    whole, met = sum(of for _, of in pairs), sum(min(one) for one in pairs)
    said = trend(shares)
    if whole < 2 * FEWEST:
        assert said is Difference.TOO_FEW
    elif met in {0, whole}:
        assert said is Difference.BY_CHANCE
    else:
        times = [float(time) for time, (_, of) in enumerate(pairs) for _ in range(of)]
        successes = [float(case < met) for met, of in pairs for case in range(of)]
        r = correlation(times, successes)
        assert (said is not Difference.BY_CHANCE) == (whole * r * r > 1.96**2)
        if said is not Difference.BY_CHANCE:
            assert said is (Difference.HIGHER if r > 0 else Difference.LOWER)


def test_evidence_shows_each_standard_by_quarter_and_says_its_trend() -> None:
    rows = [row(met, 20, f"2025-Q{number}") for number, met in enumerate((8, 11, 14, 17), 1)]
    before, hidden = row(None, None, "2024-Q4"), row(None, None, "2026-Q1")
    early = structs.replace(row(0, 20, "2026-Q2"), provisional=True)
    series = Series(CONTACT, [before, *rows, hidden, early])
    aim = Aim("first_contact", date(2026, 1, 12), 90, "A duty officer at court")
    made = evidence(told(comparison(row(90, 100)), quarters={CONTACT.id: series}, aims=[aim], changes=["Moved."]))
    standard = next(section for section in made.sections if section.title == CONTACT.title)
    assert standard.sentences[-1] == "Over 4 quarters: it rises by more than chance explains."
    assert standard.table is not None
    assert standard.table.rows[0] == ("January to March 2025", "8", "20", "40.0 %")
    assert standard.table.rows[4] == ("January to March 2026", "", "", "not shown")
    titles = [section.title for section in made.sections]
    assert {"In short", "Improvement aims", "What changed", "Quality of data"} <= set(titles)
    document = Document(BytesIO(as_docx(made)))
    assert [p.text for p in document.paragraphs if p.style and p.style.name == "Heading 1"] == titles


def everything(made: Report) -> Iterator[str]:
    yield made.subtitle
    for section in made.sections:
        yield from section.sentences
        if section.table is not None:
            yield from (section.table.caption, *section.table.headings)


@pytest.mark.parametrize("write", [report, evidence])
@pytest.mark.parametrize("mine", [row(90, 100), row(0, 0), row(None, None)], ids=["figure", "nothing due", "hidden"])
def test_of_months_that_are_not_over_each_figure_is_said_to_be_so_far(
    write: Callable[[Told], Report], mine: Row
) -> None:
    span = span_of("2026-Q3")
    counted = Series(CONTACT, [row(40, 50, "2026-Q2"), row(9, 10)])
    figures = told(
        comparison(mine, row(4500, 5000)),
        comparison(row(70, 100, "2026-Q2")),
        counts=[counted],
        quarters={CONTACT.id: counted},
    )
    for day, so_far in ((date(2026, 7, 1), True), (date(2026, 9, 30), True), (date(2026, 10, 1), False)):
        said = [*everything(write(replace(figures, today=day)))]
        about = [
            one
            for one in said
            if span.label in one or one.startswith((f"{CONTACT.title}: ", "Better", "Worse", "Away"))
        ]
        assert len(about) >= 6
        assert {"so far" in one for one in about} == {so_far}, about
        if not so_far:
            assert not [one for one in said if "so far" in one]


def test_the_quarter_that_runs_is_marked_in_the_evidence() -> None:
    series = Series(CONTACT, [row(8, 20, "2026-Q2"), row(9, 20, "2026-Q3")])
    for day, last in (
        (date(2026, 8, 1), "July to September 2026 so far"),
        (date(2026, 10, 1), "July to September 2026"),
    ):
        made = evidence(told(comparison(row(90, 100)), quarters={CONTACT.id: series}, today=day))
        table = next(section.table for section in made.sections if section.title == CONTACT.title)
        assert table is not None
        assert [one[0] for one in table.rows] == ["April to June 2026", last]


def test_quarters_that_show_nothing_are_listed_where_there_are_no_others() -> None:
    series = Series(CONTACT, [row(None, None, "2026-Q1"), row(None, None, "2026-Q2")])
    made = evidence(told(comparison(row(90, 100)), quarters={CONTACT.id: series}))
    table = next(section.table for section in made.sections if section.title == CONTACT.title)
    assert table is not None
    assert [one[0] for one in table.rows] == ["January to March 2026", "April to June 2026"]


def test_quarters_and_years() -> None:
    assert quarters_up_to(date(2026, 11, 26))[:3] == ["2026-Q3", "2026-Q2", "2026-Q1"]
    assert quarters_up_to(date(2026, 1, 1))[0] == "2025-Q4"
    assert years_up_to(date(2026, 11, 26)) == ["2025-26", "2024-25", "2023-24"]
    assert years_up_to(date(2026, 3, 31))[0] == "2024-25"
    year = span_of("2025-26")
    assert (year.first, year.last, year.label) == (date(2025, 4, 1), date(2026, 3, 1), "April 2025 to March 2026")
    assert (year.first_before, year.last_before) == (date(2024, 4, 1), date(2025, 3, 1))
    for wrong in ("2026-Q5", "2026", "x", "2025-27", "2026-Qx"):
        with pytest.raises(Problem):
            span_of(wrong)


def test_a_standard_is_told_once() -> None:
    """Reporting has each standard a second time, as published tables count it: beside each other they look like two findings."""
    again = structs.replace(
        CONTACT, id="first_contact_within_1_of_those_begun", title="First contact, of those that happened"
    )
    both = structs.replace(CONTACT, published_as=again.id)
    count = structs.replace(CONTACT, id="orders_imposed", kind="count")
    assert told_shares([again, both, count]) == [both]

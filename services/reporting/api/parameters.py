"""Parses requests into the arguments of `answers`. Everything that is not valid becomes a Problem here."""

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Annotated, Literal

import msgspec
from fastapi import Path, Response
from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints

from contracts.authorities import current_code
from contracts.periods import month_of, parse_first, parse_last
from services.chassis.api.problems import Problem
from services.chassis.schema import Schema
from services.reporting.api.schemas import (
    AREAS,
    AUTHORITY_CODES,
    INDICATOR_IDS,
    MANY_AREAS,
    MANY_INDICATORS,
    MANY_SHARES,
    SHARE_IDS,
)
from services.reporting.disclosure.gate import Explained, NotForViewer
from services.reporting.figures import answers
from services.reporting.figures.answers import Answer, Enquiry, Question
from services.reporting.figures.differences import MOST_MONTHS, Between, CannotExplain, explain
from services.reporting.read.queries import Grain, Span
from services.reporting.registry.absent import NotThere
from services.reporting.registry.areas import AREA_NAMES, SCOTLAND, Division
from services.reporting.registry.catalogue import INDICATORS, definition
from services.reporting.registry.indicators import Indicator

DIVISIONS: tuple[Division, ...] = ("authority", "health_board")
PERIODS = ("month", "quarter", "year")
BY_TAKES = "authority or health_board; month, quarter or year"
MONTH_OR_DATE = r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?$"
RELEASE = r"^[0-9]{4}-[0-9]{2}\.[0-9]{1,4}$"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOST_AT_ONCE = 60
CURSOR = r"^[A-Za-z0-9_-]{1,400}$"


def _written_out(words: object) -> object:
    if isinstance(words, str) and not _DATE.fullmatch(words):
        raise ValueError("write a date like 2026-03-31")  # pydantic would read a number as seconds since 1970
    return words


Day = Annotated[date, BeforeValidator(_written_out)]


def _like(pattern: str, example: str) -> BeforeValidator:
    """Return a validator that refuses text of another form with an example: a pattern is for programs."""

    def check(words: object) -> object:
        if isinstance(words, str) and not re.search(pattern, words):
            raise ValueError(f"write {example}")
        return words

    return BeforeValidator(check)


Moment = Annotated[
    str,
    StringConstraints(pattern=MONTH_OR_DATE),
    _like(MONTH_OR_DATE, "a month such as 2026-03, or a date such as 2026-03-31"),
]
Release = Annotated[str, StringConstraints(pattern=RELEASE), _like(RELEASE, "the name of a release such as 2026-03.1")]
IndicatorId = Annotated[str, Path(json_schema_extra=INDICATOR_IDS)]
ShareId = Annotated[str, Path(json_schema_extra=SHARE_IDS)]
AuthorityCode = Annotated[str, Path(json_schema_extra=AUTHORITY_CODES)]


class When(Schema, description="Which months, and as known on which day."):
    model_config = ConfigDict(extra="forbid")

    from_: Moment | None = Field(None, alias="from", description="Month or date, included")
    to: Moment | None = Field(None, description="Month or date, included")
    as_of: Day | None = Field(None, description="As known at the end of this day")
    release: Release | None = Field(None, description="As it was published")


class ByPeriod(When, description="The same, by month, quarter or year."):
    by: Literal["", "month", "quarter", "year"] = Field("", description="How finely time is divided")


class Asked(When, description="What may be asked about an indicator's figures."):
    by: str = Field(
        "",
        max_length=100,
        pattern="^[a-z_,]*$",
        description=f"{BY_TAKES}; and a breakdown: with commas",
    )
    authority: str | None = Field(None, max_length=9, json_schema_extra=AREAS)
    definition: int | None = Field(
        None, ge=1, le=1000, description="Version of the definition; a proposed one is national"
    )


class AskedSeveral(When, description="What may be asked about several indicators and areas at once."):
    indicator: list[Annotated[str, StringConstraints(max_length=60)]] = Field(
        min_length=1, max_length=MOST_AT_ONCE, description="Given once for each", json_schema_extra=MANY_INDICATORS
    )
    area: list[Annotated[str, StringConstraints(max_length=9)]] = Field(
        [],
        max_length=MOST_AT_ONCE,
        description="Given once for each; Scotland by default",
        json_schema_extra=MANY_AREAS,
    )
    by: str = Field(
        "",
        max_length=100,
        pattern="^[a-z_,]*$",
        description=f"{BY_TAKES}; and a breakdown that all of the indicators have: with commas",
    )


class SeveralShares(When, description="Which shares to compare."):
    indicator: list[Annotated[str, StringConstraints(max_length=60)]] = Field(
        min_length=1, max_length=MOST_AT_ONCE, description="Given once for each", json_schema_extra=MANY_SHARES
    )


class AskedBetween(Schema, description="What may be asked about a difference between two days."):
    model_config = ConfigDict(extra="forbid")

    from_: Moment = Field(alias="from", description="First month of the figure")
    to: Moment = Field(description="Last month of the figure")
    authority: str | None = Field(None, max_length=9, json_schema_extra=AREAS)
    first_day: Day = Field(description="As known at the end of this day")
    last_day: Day = Field(description="As known at the end of this later day")
    definition: int | None = Field(None, ge=1, le=1000, description="Version that counts on the last day")
    definition_before: int | None = Field(None, ge=1, le=1000, description="Version that counts on the first day")


def explained(enquiry: Enquiry, indicator: Indicator, asked: AskedBetween) -> Explained:
    """Return the difference, or raise a problem that says why it cannot be explained."""
    first, last = day(asked.from_, parse_first), day(asked.to, parse_first)
    if first is None or last is None or first > last or asked.first_day > asked.last_day:
        raise Problem(422, "from must not lie after to, nor first_day after last_day")
    between = Between(
        asked.first_day,
        asked.last_day,
        asked.definition_before or indicator.version,
        asked.definition or indicator.version,
    )
    area = area_code(asked.authority)
    try:
        return explain(enquiry, indicator, Span(month_of(first), month_of(last)), area, between)
    except NotForViewer as fault:
        raise Problem(403, str(fault)) from None
    except answers.TooMuch:
        raise Problem(422, f"Ask for {MOST_MONTHS} months or fewer") from None
    except CannotExplain as fault:
        raise Problem(422, str(fault)) from None
    except NotThere as fault:
        raise Problem(404, str(fault)) from None


@contextmanager
def missing() -> Iterator[None]:
    """Turn NotThere into Problem 404 during the block."""
    try:
        yield
    except NotThere as fault:
        raise Problem(404, str(fault)) from None


def ask(enquiry: Enquiry, indicator: Indicator, question: Question) -> Answer:
    """Return the answer, or raise a problem that says why there is none."""
    if question.as_of and question.as_of > enquiry.today:
        raise Problem(422, "as_of is in the future")
    try:
        return answers.answer(enquiry, indicator, question)
    except answers.NothingReleased:
        raise Problem(404, "Nothing has been released yet. Figures are public from the first release on") from None
    except answers.TooMuch:
        raise Problem(422, f"That is more than {answers.MOST_ROWS} rows: ask for less time or fewer parts") from None
    except NotForViewer as fault:
        raise Problem(403, str(fault)) from None
    except NotThere as fault:
        raise Problem(404, str(fault)) from None


def question_of(indicator: Indicator, asked: Asked) -> Question:
    """Parse a question. Raises Problem for anything that the indicator does not have."""
    question = span_of(asked)
    parts = [part for part in asked.by.split(",") if part]
    divisions = [division for division in DIVISIONS if division in parts]
    periods = [part for part in parts if part in PERIODS]
    breakdowns = [part for part in parts if part not in {*DIVISIONS, *PERIODS}]
    known = [name for name, _ in _version(indicator, asked.definition).breakdowns]
    if max(len(divisions), len(periods), len(breakdowns)) > 1 or not set(breakdowns) <= set(known):
        raise Problem(422, f"by takes {BY_TAKES}; and one of: {', '.join(known) or 'nothing else'}")
    return replace(
        question,
        grain=Grain(divisions[0] if divisions else "", periods[0] if periods else ""),
        breakdown=breakdowns[0] if breakdowns else None,
        area=area_code(asked.authority),
        definition=asked.definition,
    )


def questions_of(asked: AskedSeveral) -> Iterator[tuple[Indicator, Question]]:
    """Yield each indicator with each area, once. Raises Problem for anything that one of them does not have."""
    areas = dict.fromkeys(area_code(each) for each in asked.area) or [SCOTLAND]
    one = Asked.model_validate(asked.model_dump(by_alias=True, include={"from_", "to", "as_of", "release", "by"}))
    for name in dict.fromkeys(asked.indicator):
        indicator = known_indicator(name)
        question = question_of(indicator, one)
        yield from ((indicator, replace(question, area=area)) for area in areas)


def span_of(when: When) -> Question:
    """Return the question for Scotland's headline figure in a span. Raises Problem."""
    first, last = day(when.from_, parse_first), day(when.to, parse_last)
    if first and last and first > last:
        raise Problem(422, "from must not be after to")
    return Question(first, last, as_of=when.as_of, release=when.release)


def _version(indicator: Indicator, wanted: int | None) -> Indicator:
    try:
        return indicator if wanted is None else definition(indicator.id, wanted)
    except NotThere as fault:
        raise Problem(404, str(fault)) from None


def known_indicator(id: str) -> Indicator:  # noqa: A002
    """Return the indicator in force. Raises Problem 404."""
    found = INDICATORS.get(id)
    if found is None:
        raise Problem(404, "There is no such indicator")
    return found


def area_code(words: str | None) -> str:
    """Return the code of a health board or an authority; Scotland's by default. Raises Problem 422."""
    if words is None or words in AREA_NAMES:
        return words or SCOTLAND
    return authority_code(words)


def authority_code(words: str) -> str:
    """Return the current code of an authority. Raises Problem 422."""
    code = current_code(words)
    if code is None:
        raise Problem(422, "There is no authority with this code")
    return code


def day(words: str | None, parse: Callable[[str], date]) -> date | None:
    """Parse a day; None if it is not given. Raises Problem 422."""
    if not words:
        return None
    try:
        return parse(words)
    except ValueError as fault:
        raise Problem(422, f"from and to: {fault}") from None


Key = tuple[str, str, date, str]
"""The key by which rows are ordered: two names, a period, and another name."""


def to_cursor(key: Key) -> str:
    """Write the key at which a page ended."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def from_cursor(cursor: str | None) -> Key | None:
    """Read the key after which the page begins; None for the first page. Raises Problem 422."""
    if cursor is None:
        return None
    key: Key | None
    try:
        key = msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=Key)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        key = None
    if key is None or "\0" in "".join(map(str, key)):  # PostgreSQL refuses this character
        raise Problem(422, "The cursor is not valid here")
    return key


def json(content: object) -> Response:
    """Return an answer as compact JSON."""
    return Response(msgspec.json.encode(content), media_type="application/json")

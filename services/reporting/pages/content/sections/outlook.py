"""Events that may still change the figures of a span, and who reported nothing for it."""

from dataclasses import replace

from services.reporting.disclosure.gate import ToCome
from services.reporting.figures import answers, quality
from services.reporting.figures.answers import Answer, Question
from services.reporting.figures.quality import still_to_come
from services.reporting.pages.content.reader import Reader
from services.reporting.read.queries import Span
from services.reporting.registry.areas import AREA_NAMES
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.registry.indicators import Indicator


def to_come(reader: Reader, span: Span, area: str) -> list[ToCome]:
    """Return the outlook for one area."""
    return still_to_come(reader.enquiry, _any_answer(reader, span, area))


def lacking(reader: Reader, span: Span, area: str, indicator: Indicator | None = None) -> list[str]:
    """Return the names of authorities in the area that reported nothing for the span, which its figures leave out."""
    answer = _any_answer(reader, span, area)
    found = quality.lacking(reader.enquiry, replace(answer, indicator=indicator or answer.indicator))
    return sorted(AREA_NAMES[code] for each in found for code in each.authorities)


def _any_answer(reader: Reader, span: Span, area: str) -> Answer:
    question = Question(span.first, span.last, area=area, release=reader.wanted)
    return answers.answer(reader.enquiry, INDICATORS["orders_imposed"], question)

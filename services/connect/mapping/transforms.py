"""Turns the value of a cell into a value of an event. Pure; raises Unread with words that continue after the name of the column."""

import re
from calendar import monthrange
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache
from hashlib import sha256

from contracts.authorities import AUTHORITIES, current_code
from contracts.client.pseudonym import pseudonym
from contracts.codes import Code
from contracts.decoding.envelope import CASELOAD
from services.connect.extracts.cells import Scalar, plain, text_of
from services.connect.faults import Unread
from services.connect.mapping.numbers import Written, amount, written
from services.connect.mapping.opposites import opposed
from services.connect.mapping.words import MONTHS, OTHER_WORDS, TRUTHS

_EPOCHS = {1900: date(1899, 12, 30), 1904: date(1904, 1, 1)}
"""Day 0. In the system of 1900, numbers below 61 are off by a day, which is long before any order."""
_NUMBERS = re.compile(r"(\d{1,4})[./\- ](\d{1,2})[./\- ](\d{1,4})")
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)")
_NAMED = re.compile(r"(?:[a-z]+,? )?(\d{1,2})(?:st|nd|rd|th)?[ \-/.]*([a-z]+)[ \-/.,]*(\d{4}|\d\d)", re.IGNORECASE)
_NAMED_FIRST = re.compile(r"([a-z]+) (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})", re.IGNORECASE)
_TIME = re.compile(r"[T ]+\d{1,2}:\d\d(:\d\d(\.\d+)?)?( ?[ap]\.?m\.?)?(Z|[+-]\d\d:?\d\d)?$", re.IGNORECASE)
_SERIAL = re.compile(r"\d{5}(\.\d+)?")
_SAFE = re.compile(r"[A-Za-z0-9._/-]+")


def date_in(cell: Scalar, order: str = "dmy", epoch: int = 1900) -> date:
    """Read a day, however it is written."""
    match cell:
        case datetime():
            return cell.date()
        case date():
            return cell
        case bool() | time() | timedelta():
            raise Unread(f"'{text_of(cell)}' is not a date")
        case int() | float():
            return _serial(cell, epoch)
        case str():
            return _date_in_text(cell.strip(), order, epoch)


def _serial(number: float, epoch: int) -> date:
    if 1 <= number < 80_000:
        return _EPOCHS[epoch] + timedelta(days=int(number))
    if number == int(number) and _COMPACT.fullmatch(str(int(number))):
        return _date_in_text(str(int(number)), "ymd", epoch)
    raise Unread(f"{text_of(number)} is not a date")


def _date_in_text(text: str, order: str, epoch: int) -> date:
    bare = _TIME.sub("", text)
    if _SERIAL.fullmatch(text):
        return _serial(float(text), epoch)
    try:
        year, month, day = _parts(bare, order)
        return date(_whole_year(year), month, day)
    except ValueError as fault:
        swapped = _swapped(bare, order)
        hint = f", unless it is written as {swapped}: give `dates` in the mapping" if swapped else ""
        raise Unread(f"'{text}' is not a date{hint}") from fault


def _parts(text: str, order: str) -> tuple[int, int, int]:
    if found := _COMPACT.fullmatch(text):
        return int(found[1]), int(found[2]), int(found[3])
    if found := _NUMBERS.fullmatch(text):
        first, second, third = (int(part) for part in found.groups())
        if len(found[1]) == 4 or order == "ymd":
            return first, second, third
        return (third, second, first) if order == "dmy" else (third, first, second)
    if (found := _NAMED.fullmatch(text)) and (month := _month(found[2])):
        return int(found[3]), month, int(found[1])
    if (found := _NAMED_FIRST.fullmatch(text)) and (month := _month(found[1])):
        return int(found[3]), month, int(found[2])
    raise ValueError(text)


def _swapped(text: str, order: str) -> str:
    other = {"dmy": "mdy", "mdy": "dmy"}.get(order)
    try:
        year, month, day = _parts(text, other or order)
        date(_whole_year(year), month, day)
    except ValueError:
        return ""
    return "month/day/year" if other == "mdy" else "day/month/year" if other else ""


def _month(name: str) -> int:
    return MONTHS.get(name.casefold()[:3], 0) if len(name) >= 3 else 0


def _whole_year(year: int) -> int:
    return year if year >= 100 else 2000 + year if year < 70 else 1900 + year


def born_in(cell: Scalar, order: str, epoch: int, on: date) -> date:
    """Read a date of birth. Two digits for the year mean the last century if the person would otherwise be too young."""
    born = date_in(cell, order, epoch)
    return born.replace(year=born.year - 100) if born.year > on.year - 10 else born


def age(born: date, on: date) -> int:
    """Return the age in whole years on a day. Somebody born on 29 February has the birthday on 1 March of other years."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def moment_in(cell: Scalar, order: str, epoch: int) -> datetime:
    """Read a local time without offset; midnight if only a day is given."""
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=None)
    if isinstance(cell, float) and 1 <= cell < 80_000:
        return datetime.combine(_EPOCHS[epoch], time()) + timedelta(seconds=round(cell * 86_400))
    if isinstance(cell, str) and (clock := re.search(r"(\d{1,2}):(\d\d)(?::(\d\d))?", cell)):
        hour, minute, second = (int(part or 0) for part in clock.groups())
        afternoon = re.search(r"\dp\.?m|\d p\.?m", cell.casefold()) and hour < 12
        return datetime.combine(date_in(cell, order, epoch), time(hour + 12 * bool(afternoon), minute, second))
    return datetime.combine(date_in(cell, order, epoch), time())


def whole_in(cell: Scalar, times: float = 1, unit: str | None = None, mark: str = "") -> int:
    """Read a whole number of this unit, after multiplying it; h:mm counts as hours. `mark` is the mark before decimals, if it is known."""
    result = amount(_written(cell), unit, times, mark)
    if result != round(result):
        raise Unread(f"'{text_of(cell)}' makes {result:g}, which is not a whole number")
    return round(result)


def _written(cell: Scalar) -> Written:
    if isinstance(cell, timedelta | time):
        return Written(text_of(cell), (_hours(cell),), "hours")
    if isinstance(cell, str):
        return written(cell)
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        raise Unread(f"'{text_of(cell)}' is not a number")
    return Written(text_of(cell), (cell,))


def _hours(cell: timedelta | time) -> float:
    if isinstance(cell, time):
        return cell.hour + cell.minute / 60
    return cell.total_seconds() / 3600


def truth_in(cell: Scalar, codes: dict[str, str]) -> bool:
    """Read yes or no."""
    if isinstance(cell, bool):
        return cell
    word = plain(codes.get(text_of(cell), text_of(cell)))
    if word not in TRUTHS:
        raise Unread(f"'{text_of(cell)}' is neither yes nor no")
    return TRUTHS[word]


def code_in(kind: type[Code], codes: dict[str, str]) -> Callable[[Scalar], Code]:
    """Return a reader of one code list: its codes, its labels, usual words, and the authority's own."""
    own = {plain(word): code for word, code in codes.items()}
    known = _known(kind) | {word: kind.of(code) for word, code in _checked(kind, own)}

    def read(cell: Scalar) -> Code:
        text = text_of(cell)
        found = known.get(plain(text))
        if found is None:
            raise Unread(f"'{text}' is not known{_hint(text, known, codes)}")
        return found

    return read


def _checked(kind: type[Code], own: dict[str, str]) -> Iterable[tuple[str, str]]:
    for word, code in own.items():
        if code not in list(kind):
            there = ", ".join(kind)
            raise Unread(f"'{word}' is mapped to '{code}', which is not a code; the codes are {there}")
        yield word, code


@cache
def _known(kind: type[Code]) -> dict[str, Code]:
    found = {plain(word): kind.of(code) for word, code in OTHER_WORDS.get(kind, {}).items()}
    return found | {plain(one.label): one for one in kind} | {plain(str(one)): one for one in kind}


def words_of(kind: type[Code]) -> frozenset[str]:
    """Return the words that mean a code of a list by themselves, in plain form."""
    return frozenset(_known(kind))


def _hint(text: str, known: dict[str, Code], codes: dict[str, str]) -> str:
    shown = {plain(word): word for word in codes} | {plain(one.label): one.label for one in known.values()}
    close = _close(plain(text), [phrase for phrase in shown if not opposed(text, phrase)])
    if not close:
        return ""
    labels = {one: "" if plain(known[one].label) == one else f" ({known[one].label})" for one in close}
    meant = " or ".join(f"'{shown[one]}'{labels[one]}" for one in close)
    return f"; did you mean {meant}?"


def _close(text: str, phrases: list[str]) -> list[str]:
    """Return phrases for which the text, or one of their words, may be meant; the likeliest first."""
    words = {word for phrase in phrases for word in phrase.split() if len(word) > 3}
    meant = set(get_close_matches(text, words, n=1, cutoff=0.75))
    close = {*get_close_matches(text, phrases, n=3, cutoff=0.6)} | {one for one in phrases if meant & {*one.split()}}
    return [phrase for phrase in phrases if phrase in close][:3]


def authority_in(cell: Scalar, codes: dict[str, str]) -> str:
    """Read a council by its code or its name."""
    text = codes.get(text_of(cell), text_of(cell))
    names = _authorities()
    if current_code(text):
        return text
    word = re.sub(r"\b(council|city council|the)\b", "", plain(text)).strip()
    if word in names:
        return names[word]
    close = get_close_matches(word, names, n=1, cutoff=0.6)
    hint = f"; did you mean '{AUTHORITIES[names[close[0]]].name}'?" if close else ""
    raise Unread(f"'{text}' is not an authority{hint}")


@cache
def _authorities() -> dict[str, str]:
    return {plain(name): one.code for one in AUTHORITIES.values() for name in (one.name, *one.also_known_as)}


def safe_reference(text: str, longest: int = 40) -> str:
    """Return a reference in the characters of the contract. If more than blanks had to change, it gets a digest, so that no two become the
    same.
    """
    if not text:
        raise Unread("is blank")
    simple = re.sub(r"\s+", "-", text.strip())
    if _SAFE.fullmatch(simple) and len(simple) <= longest and simple != "-":
        return simple
    digest = sha256(text.encode()).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9._/-]+', '-', simple)[: longest - 9].strip('-')}-{digest}"


def keyed_reference(secret: bytes, text: str, longest: int = 40) -> str:
    """Return a reference that identifies a person as one that does not."""
    return pseudonym(secret, f"reference {text}")[:longest]


def caseload_in(cell: Scalar, codes: dict[str, str]) -> str:
    """Read a code of the authority's own. Anything else is not repeated, since it may be a name."""
    own = {plain(word): code for word, code in codes.items()}
    text = own.get(plain(text_of(cell)), text_of(cell))
    if not re.fullmatch(CASELOAD, text):
        raise Unread("is not a code with a digit in it, such as team-3; give its code under `codes`")
    return text


def label_in(text: str) -> str:
    """Return the name of a tool or a rule, without characters that the contract does not allow."""
    if not text:
        raise Unread("is blank")
    return " ".join(re.sub(r"[^A-Za-z0-9._ /+-]+", " ", text).split())[:40]


def month_in(cell: Scalar, order: str, epoch: int) -> str:
    """Read a month as in 2026-03, given as a day in it or by its name."""
    if isinstance(cell, str):
        if re.fullmatch(r"\d{4}-\d\d", cell.strip()):
            return cell.strip()
        if (named := re.fullmatch(r"([A-Za-z]+)[ -]*(\d{4}|\d\d)", cell.strip())) and (month := _month(named[1])):
            return f"{_whole_year(int(named[2]))}-{month:02}"
    day = date_in(cell, order, epoch)
    return f"{day.year}-{day.month:02}"


def last_of_month(month: str) -> date:
    year, number = map(int, month.split("-"))
    return date(year, number, monthrange(year, number)[1])

"""The figures as pandas DataFrames, for analysts. Needs pandas: `pip install 'payback[analyst]'`.

    analyst = Analyst("https://figures.example", token)
    frame = analyst.data("first_contact_within_1", by="authority,year")
    frame.attrs["definition"], frame.attrs["completeness"], frame.attrs["known_on"]

The `attrs` of a frame have what every figure must be read with: its definition, which authorities are complete, and the date.
A suppressed figure is `<NA>` with `suppressed` true; a figure for which nothing was reported is `<NA>` with `suppressed` false.
A `provisional` figure can change, since events that it counts can still happen; a `partial` one covers only part of its period.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, NamedTuple, Self

import httpx

from contracts.authorities import AUTHORITIES, HEALTH_BOARDS

try:
    import pandas as pd
except ModuleNotFoundError as lacking:
    raise ModuleNotFoundError("pandas is needed: pip install 'payback[analyst]'", name="pandas") from lacking

TIMEOUT = httpx.Timeout(60.0, connect=10.0)
REMEMBERED = 100
PAGE = 10_000
AREAS = (
    {"S92000003": "Scotland"}
    | {code: authority.name for code, authority in AUTHORITIES.items()}
    | {code: f"{board.name} (health board area)" for code, board in HEALTH_BOARDS.items()}
)

_NUMBERS = ("numerator", "denominator", "value", "lower", "upper")
_MARKS = ("suppressed", "provisional", "partial")
_ROW = ("authority", "area", "period", "category", *_NUMBERS, *_MARKS)
_LIMITS = ("lower_95", "upper_95", "lower_998", "upper_998")
_DEFINED = (
    "id",
    "title",
    "theme",
    "kind",
    "unit",
    "definition",
    "exclusions",
    "direction_of_good",
    "standard",
    "version",
)
_CHANGED = ("measure", "category", "period", "authority", "area", "before", "after", "why", "suppressed")
_BEFORE_AND_AFTER = tuple(f"{of}{when}" for of in ("value", "numerator", "denominator") for when in ("_before", ""))
_CHANGED_FIGURE = (
    *("indicator", "indicator_title", "unit", "area_code", "area", "area_type", "period_type", "period"),
    *("breakdown", "category_code", "category", *_BEFORE_AND_AFTER, "mark_before", "mark", "reason"),
)
_AGAIN = (429, 503)


class NotAnswered(Exception):
    """The platform answered with a problem. The message says what is wrong with the question, or that a part is unavailable."""

    def __init__(self, status: int, title: str, detail: str = "", faults: Sequence[str] = ()) -> None:
        self.status, self.title, self.detail, self.faults = status, title, detail, tuple(faults)
        super().__init__(": ".join(part for part in (f"{status} {title}", detail, "; ".join(faults)) if part))


class _Kept(NamedTuple):
    """An answer as it was last received."""

    etag: str | None
    content: Any
    given_on: date | None


class Analyst:
    """Asks one platform. `token` shows what its holder may see; without one, only public figures.

    `patience` is how many seconds to wait in all if the platform asks to be asked again later. An answer that has not changed is not sent
    again.
    """

    def __init__(
        self,
        address: str,
        token: str | None = None,
        *,
        patience: float = 120.0,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        if not address.startswith(("http://", "https://")):
            raise ValueError(f"{address} is not an address of the platform: it must begin with https:// or http://")
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        self._http = httpx.Client(base_url=f"{address.rstrip('/')}/v1/", headers=headers, timeout=TIMEOUT)
        self._patience, self._wait = patience, wait
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def indicators(self) -> pd.DataFrame:
        """Return one row for each indicator. `breakdowns` lists what `by` accepts."""
        found = self._ask("indicators").content["indicators"]
        rows = [{name: each[name] for name in _DEFINED} | {"breakdowns": _ids(each["breakdowns"])} for each in found]
        return pd.DataFrame(rows, columns=[*_DEFINED, "breakdowns"]).set_index("id")

    def data(  # noqa: PLR0913
        self,
        indicator: str,
        *,
        first: str | date | None = None,
        last: str | date | None = None,
        by: str | Sequence[str] = (),
        authority: str | None = None,
        as_of: str | date | None = None,
        release: str | None = None,
    ) -> pd.DataFrame:
        """Return the figures of an indicator. Raises NotAnswered.

        `by` takes authority or health_board; month, quarter or year; and a breakdown.
        """
        divided = by if isinstance(by, str) else ",".join(by)
        asked = {"from": first, "to": last, "by": divided, "authority": authority, "as_of": as_of, "release": release}
        answer = self._ask(f"indicators/{indicator}/data", **asked)
        frame = pd.DataFrame([_named(row) for row in answer.content["rows"]], columns=list(_ROW))
        return _described(_typed(frame), answer)

    def compare(
        self,
        indicator: str,
        *,
        first: str | date | None = None,
        last: str | date | None = None,
        as_of: str | date | None = None,
        release: str | None = None,
    ) -> pd.DataFrame:
        """Return each authority's share, the control limits around Scotland for its size, and its place. Raises NotAnswered."""
        answer = self._ask(f"compare/{indicator}", **{"from": first, "to": last, "as_of": as_of, "release": release})
        none = dict.fromkeys(_LIMITS)
        rows = [
            _named(each["row"]) | (each["limits"] or none) | {"place": each["place"]}
            for each in answer.content["authorities"]
        ]
        frame = _typed(pd.DataFrame(rows, columns=[*_ROW, *_LIMITS, "place"]), _LIMITS)
        described = _described(frame, answer)
        described.attrs["scotland"] = answer.content["scotland"]
        return described

    def quality(self, month: str | None = None) -> pd.DataFrame:
        """Return how complete each authority's figures of a month are; the month before this one by default."""
        answer = self._ask("quality", month=month)
        rows = [{"area": AREAS.get(each["authority"])} | each for each in answer.content["authorities"]]
        frame = pd.DataFrame(rows).set_index("authority")
        frame["heard_at"] = pd.to_datetime(frame["heard_at"], utc=True, format="ISO8601")
        frame.attrs = {"month": answer.content["month"], "completeness": answer.content["summary"]}
        return frame

    def releases(self) -> pd.DataFrame:
        """Return all releases, newest first."""
        frame = pd.DataFrame(self._ask("releases").content["releases"])
        return frame if frame.empty else frame.set_index("id")

    def changes(self, release: str) -> pd.DataFrame:
        """Return the published figures that differ from the release before, with both values and the main reason. Raises NotAnswered."""
        pages = list(self._pages(f"releases/{release}/changes"))
        frame = pd.DataFrame([each for page in pages for each in page["changes"]], columns=list(_CHANGED_FIGURE))
        frame = frame.astype(dict.fromkeys(_BEFORE_AND_AFTER, "Float64"))
        frame.attrs = {name: pages[0][name] for name in ("release", "release_before")}
        return frame

    def cell_changes(self, release: str) -> pd.DataFrame:
        """Return the cells that differ from the release before, and why: all for national viewers, an authority's own for itself, and
        Scotland's, rounded, for everybody. Raises NotAnswered.
        """
        pages = list(self._pages(f"releases/{release}/changes/cells"))
        rows = [each | {"area": AREAS.get(each["authority"])} for page in pages for each in page["changes"]]
        frame = pd.DataFrame(rows, columns=list(_CHANGED))
        frame = frame.astype({"before": "Int64", "after": "Int64", "suppressed": "boolean"})
        frame["period"] = pd.to_datetime(frame["period"])
        frame.attrs = {"release": pages[0]["release"], "known_on": pages[0]["release"]["known_on"]}
        return frame

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        cursor = None
        while True:
            page = self._ask(path, cursor=cursor, limit=PAGE).content
            yield page
            cursor = page["next"]
            if cursor is None:
                return

    def _ask(self, path: str, **asked: object) -> _Kept:
        parameters = {name: str(value) for name, value in asked.items() if value not in (None, "")}
        request = self._http.build_request("GET", path, params=parameters)
        kept = self._kept.get(str(request.url))
        if kept is not None and kept.etag is not None:
            request.headers["If-None-Match"] = kept.etag
        response = self._send(request)
        if response.status_code == 304 and kept is not None:
            content: Any = kept.content
        elif response.status_code == 200:
            content = response.json()
        else:
            raise _problem(response)
        return self._keep(str(request.url), _Kept(response.headers.get("etag"), content, _day(response.headers)))

    def _keep(self, url: str, answer: _Kept) -> _Kept:
        self._kept[url] = answer
        self._kept.move_to_end(url)
        if len(self._kept) > REMEMBERED:
            self._kept.popitem(last=False)
        return answer

    def _send(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and repeat it when the platform asks for that, as long as patience lasts."""
        waited = 0.0
        while True:
            response = self._http.send(request)
            after = response.headers.get("retry-after", "")
            if response.status_code not in _AGAIN or not after.isdigit() or waited + float(after) > self._patience:
                return response
            self._wait(float(after))
            waited += float(after)


def _ids(breakdowns: list[dict[str, Any]]) -> list[str]:
    return [each["id"] for each in breakdowns]


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "area": AREAS.get(row["authority"])}


def _typed(frame: pd.DataFrame, more: Sequence[str] = ()) -> pd.DataFrame:
    """Give columns types in which a number may be missing without becoming text or NaN."""
    return frame.astype(dict.fromkeys((*_NUMBERS, *more), "Float64") | dict.fromkeys(_MARKS, "boolean"))


def _described(frame: pd.DataFrame, answer: _Kept) -> pd.DataFrame:
    content = answer.content
    frame.attrs = {
        "definition": content["indicator"],
        "completeness": content["quality"],
        "release": content.get("release"),
        "live": content.get("live"),
        "known_on": _known_on(content, answer.given_on),
    }
    return frame


def _known_on(content: Mapping[str, Any], given_on: date | None) -> str | None:
    """Return the day up to whose end the platform knew what the figures show."""
    if content.get("as_of"):
        return str(content["as_of"])
    if content.get("release") and not content.get("live"):
        return str(content["release"]["known_on"])
    return None if given_on is None else f"{given_on}"


def _day(headers: Mapping[str, str]) -> date | None:
    given = headers.get("date")
    return None if given is None else parsedate_to_datetime(given).date()


def _problem(response: httpx.Response) -> NotAnswered:
    try:
        told = response.json()
        faults = [f"{each['in']}{each['path']}: {each['message']}" for each in told.get("errors", ())]
        return NotAnswered(response.status_code, told["title"], told.get("detail", ""), faults)
    except (ValueError, KeyError, TypeError, AttributeError):
        reason = f"{response.reason_phrase}; is {response.request.url} the platform's address?"
        return NotAnswered(response.status_code, reason)

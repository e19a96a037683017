"""The analysts' library, on the real API over a real connection."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from contracts import analyst as library
from contracts.analyst import Analyst, NotAnswered
from services.chassis.clock import FixedClock
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.releases import publication
from tests.integration.reporting.conftest import NOW, Feed, cell, position

GLASGOW, FIFE, EDINBURGH, ORKNEY, MORAY = "S12000049", "S12000047", "S12000036", "S12000023", "S12000020"
SEX = {GLASGOW: (170, 30), FIFE: (80, 20), EDINBURGH: (90, 25), ORKNEY: (6, 2)}
MARCH = date(2026, 3, 1)
Headers = dict[str, str]
Ask = Callable[[Headers | None], Analyst]


class Counted:
    """The application, and what it answered."""

    def __init__(self, app: FastAPI) -> None:
        self._app, self.statuses = app, list[int]()

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        async def counting(message) -> None:  # type: ignore[no-untyped-def]
            if message["type"] == "http.response.start":
                self.statuses.append(message["status"])
            await send(message)

        await self._app(scope, receive, counting)


@pytest.fixture
def served(client: TestClient) -> Iterator[tuple[str, Counted]]:
    app = Counted(client.app)  # type: ignore[arg-type]
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        thread.join(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}", app
    server.should_exit = True
    thread.join()


@pytest.fixture
def ask(served: tuple[str, Counted]) -> Iterator[Ask]:
    made: list[Analyst] = []

    def make(headers: Headers | None) -> Analyst:
        token = None if headers is None else headers["authorization"].removeprefix("Bearer ")
        made.append(Analyst(served[0], token))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def figures(feed: Feed) -> None:
    feed([position(code, service=service) for code in SEX for service in ("orders", "unpaid_work")])
    for month in ("2026-02", "2026-03"):
        for code, (men, women) in SEX.items():
            feed(
                [
                    cell("orders_imposed", code, month, "", men + women),
                    cell("orders_imposed", code, month, "sex=male", men),
                    cell("orders_imposed", code, month, "sex=female", women),
                    cell("first_contact", code, month, "band=within_1", men),
                    cell("first_contact", code, month, "band=over_5", women),
                    cell("sequence", code, month, "received", men + women),
                ]
            )


@pytest.fixture
def release(figures: None, database: Engine) -> str:  # noqa: ARG001
    clock = FixedClock(NOW)
    name = publication.make(database, MARCH, date(2026, 5, 9), clock)
    publication.publish(database, name, clock)
    return name


def test_all_indicators_are_listed_with_what_by_takes(ask: Ask) -> None:
    frame: Any = ask(None).indicators()
    assert list(frame.index) == list(INDICATORS)
    assert frame.loc["orders_imposed", "title"] == "Orders imposed"
    assert "sex" in frame.loc["orders_imposed", "breakdowns"]


@pytest.mark.one_day
@pytest.mark.usefixtures("figures")
def test_figures_carry_their_definition_completeness_and_date(ask: Ask, national: Headers) -> None:
    frame: Any = ask(national).data("orders_imposed", first="2026-03", last=MARCH, by=["authority", "sex"])
    shown = frame.set_index(["authority", "category"])
    assert shown.loc[(GLASGOW, "sex=female"), "value"] == 30
    assert shown.loc[(GLASGOW, "sex=female"), "area"] == "Glasgow City"
    assert frame["value"].dtype == "Float64"
    assert frame.attrs["definition"]["title"] == "Orders imposed"
    assert set(frame.attrs["completeness"]["complete"]) == set(SEX)
    assert frame.attrs["live"] is True
    assert frame.attrs["known_on"] == f"{datetime.now(UTC).date()}"
    earlier: Any = ask(national).data("orders_imposed", as_of=date(2026, 4, 30))
    assert earlier.attrs["known_on"] == "2026-04-30"


def test_a_hidden_figure_is_absent_and_marked_and_one_not_reported_is_absent_and_not(ask: Ask, release: str) -> None:
    import pandas as pd

    frame: Any = ask(None).data("orders_imposed", first="2026-03", last="2026-03", by="authority,sex")
    shown = frame.set_index(["authority", "category"])
    hidden, silent = shown.loc[(ORKNEY, "sex=female")], shown.loc[(MORAY, "sex=female")]
    assert (hidden["value"] is pd.NA, bool(hidden["suppressed"])) == (True, True)
    assert (silent["value"] is pd.NA, bool(silent["suppressed"])) == (True, False)
    assert frame["value"].sum() > 0, "what is absent adds nothing, and is no zero"
    assert frame.attrs["release"]["id"] == release
    assert frame.attrs["known_on"] == "2026-05-09"


@pytest.mark.usefixtures("figures")
def test_a_comparison_has_limits_and_places(ask: Ask, national: Headers) -> None:
    import pandas as pd

    frame: Any = ask(national).compare("first_contact_within_1", first="2026-03", last="2026-03").set_index("authority")
    assert frame.loc[GLASGOW, "lower_998"] < frame.loc[GLASGOW, "lower_95"] < 85 < frame.loc[GLASGOW, "upper_95"]
    assert frame.loc[GLASGOW, "place"] in {"within", "alert", "alarm"}
    assert frame.loc[MORAY, "lower_95"] is pd.NA
    assert frame.attrs["scotland"]["value"] == pytest.approx(81.8, abs=0.1)


@pytest.mark.usefixtures("figures")
def test_quality_has_every_authority(ask: Ask, national: Headers, feed: Feed) -> None:
    import pandas as pd

    feed([cell("sequence", code, "2026-04", "received", 9) for code in SEX])
    frame: Any = ask(national).quality("2026-04")
    assert len(frame) == 32
    assert (frame.loc[GLASGOW, "state"], frame.loc[MORAY, "state"]) == ("complete", "missing")
    assert frame.loc[GLASGOW, "heard_at"] == pd.Timestamp(NOW)
    assert pd.isna(frame.loc[MORAY, "heard_at"])
    assert frame.attrs["month"] == "2026-04"
    public: Any = ask(None).quality("2026-04")
    assert (public.loc[GLASGOW, "state"], public.loc[MORAY, "state"]) == ("not_known", "missing"), "nothing is released"
    assert public["heard_at"].isna().all(), "moments are for those who see figures whole"


def test_changes_of_cells_come_page_by_page(
    ask: Ask, release: str, database: Engine, feed: Feed, national: Headers, served: tuple[str, Counted]
) -> None:
    import pandas as pd

    months = [f"20{year}-{month:02}" for year in range(15, 24) for month in range(1, 13)]
    feed([cell("sessions", GLASGOW, month, "", 50, "2026-05-09", service="unpaid_work") for month in months])
    clock = FixedClock(NOW + timedelta(hours=1))
    second = publication.make(database, MARCH, date(2026, 5, 9), clock)
    whole: Any = ask(national).cell_changes(second)
    assert len(whole) == len(months)
    served[1].statuses.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "PAGE", 100)
        paged: Any = ask(national).cell_changes(second)
    assert len(served[1].statuses) == 2
    pd.testing.assert_frame_equal(paged, whole)
    assert (whole.attrs["release"]["id"], whole["after"].sum()) == (second, 50 * len(months))
    listed: Any = ask(national).releases()
    assert set(listed.index) == {release, second}
    assert listed.loc[second, "status"] == "draft"


def test_without_changes_there_are_the_columns_all_the_same(ask: Ask, release: str) -> None:
    cells: Any = ask(None).cell_changes(release)
    assert cells.empty
    assert {"before", "after", "why"} <= set(cells.columns)
    frame: Any = ask(None).changes(release)
    assert frame.empty
    assert {"value_before", "value", "reason"} <= set(frame.columns)
    assert frame.attrs == {"release": release, "release_before": None}
    assert ask(None).releases().loc[release, "status"] == "published"


@pytest.mark.usefixtures("figures")
def test_what_has_not_changed_is_not_sent_again(
    ask: Ask, national: Headers, served: tuple[str, Counted], feed: Feed
) -> None:
    analyst = ask(national)
    first: Any = analyst.data("orders_imposed", by="month")
    first.loc[0, "value"] = -1
    second: Any = analyst.data("orders_imposed", by="month")
    assert served[1].statuses == [200, 304]
    assert second.loc[0, "value"] > 0, "a frame belongs to the one who asked"
    feed([cell("orders_imposed", GLASGOW, "2026-03", "", 999, version=2)])
    analyst.data("orders_imposed", by="month")
    assert served[1].statuses == [200, 304, 200]


def test_what_is_wrong_is_said(ask: Ask, national: Headers) -> None:
    with pytest.raises(NotAnswered, match="422 Unprocessable Content: by takes authority or health_board; month"):
        ask(national).data("orders_imposed", by="shoe_size")
    with pytest.raises(NotAnswered, match=r"query/from: write a month such as"):
        ask(national).data("orders_imposed", first="March")
    with pytest.raises(NotAnswered) as told:
        ask(None).data("orders_imposed")
    assert (told.value.status, told.value.title) == (404, "Not Found")
    assert "Nothing has been released yet" in told.value.detail
    with pytest.raises(NotAnswered, match="401"):
        ask({"authorization": "Bearer nonsense"}).data("orders_imposed")
    with pytest.raises(ValueError, match="https"):
        Analyst("figures.example")


@contextmanager
def answering(*script: tuple[int, str]) -> Iterator[str]:
    """Yield an address that answers with these statuses and words of when to come back, then as any other site would."""
    acts = iter(script)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, after = next(acts, (404, ""))
            self.send_response(status)
            if after:
                self.send_header("Retry-After", after)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing, since nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_it_comes_back_when_told_to_and_not_for_ever() -> None:
    waited: list[float] = []
    with answering((429, "7"), (503, "5")) as address, Analyst(address, wait=waited.append) as analyst:
        with pytest.raises(NotAnswered, match="the platform's address"):
            analyst.releases()
        assert waited == [7, 5]
    with answering((429, "7")) as address, Analyst(address, patience=6, wait=waited.append) as analyst:
        with pytest.raises(NotAnswered, match="429"):
            analyst.releases()
        assert waited == [7, 5]


def test_the_example_in_the_docs_runs(
    served: tuple[str, Counted], release: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (Path(__file__).parents[4] / "docs" / "analyst.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert release in text
    exec(compile(program.replace("https://figures.example", served[0]), "analyst.md", "exec"), {})
    assert "Orders imposed" in capsys.readouterr().out

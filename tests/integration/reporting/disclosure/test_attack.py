"""The attack from outside: whatever an audience can fetch gives no small count away. From a weakened gate it gives some."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from services.chassis.api.auth import Identity, mint
from services.chassis.clock import FixedClock, system_clock
from services.chassis.database import engine
from services.chassis.metrics import new_registry
from services.chassis.settings import DatabaseSettings, HttpSettings, SiteSettings
from services.reporting.app import build
from services.reporting.registry.catalogue import INDICATORS
from services.reporting.settings import SCHEMA, ApiSettings
from tests.integration.reporting.conftest import NOW
from tests.support.attacker import fetching, leaks, made_up
from tests.support.attacker.attack import Attacker, public_indicators
from tests.support.attacker.fetching import Caller, comparable
from tests.support.attacker.made_up import CODES, WORLD, Made
from tests.support.attacker.pages import page
from tests.support.attacker.reading import Reading
from tests.support.openapi import KEYS, TOKENS, nowhere

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore:Shouldn't use this function anymore:DeprecationWarning"),
]

PAGES = (
    "orders_imposed",
    "first_contact_within_1",
    "unpaid_work_hours_mean",
    "completion_rate",
    "orders_imposed_per_10000",
    "open_orders",
    "hours_credited",
    "exit_questionnaires",
)
"""One of every kind."""
SMALL = CODES[-1]


@pytest.fixture(scope="module")
def database(migrated: Callable[[], str]) -> Iterator[Engine]:
    url = migrated()
    made = engine(DatabaseSettings(url=url, schema_name=SCHEMA))
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def made(database: Engine) -> Made:
    return made_up.release(database)


def application(database: Engine) -> TestClient:
    told = ApiSettings(
        database=nowhere(SCHEMA),
        tokens=TOKENS,
        http=HttpSettings(port=0, requests_per_minute=0),
        site=SiteSettings(simulated=True, insecure_cookie=True),
    )
    return TestClient(build(told, database, new_registry(), FixedClock(NOW)))


@pytest.fixture(scope="module")
def public(database: Engine, made: Made) -> Caller:
    return Caller(application(database), WORLD, made.names, made.days)


@pytest.fixture
def weak(public: Caller, database: Engine) -> Caller:
    """Asks an API that remembers no answer of before."""
    return replace(public, client=application(database))


@pytest.fixture(scope="module")
def told(public: Caller) -> list[Reading]:
    """All that the public can read."""
    return list(everything(public))


def everything(caller: Caller) -> Iterator[Reading]:
    for indicator in public_indicators():
        yield from caller.figures(indicator)
        yield from caller.every_way(indicator)
    for indicator in filter(comparable, public_indicators()):
        yield from caller.comparisons(indicator, WORLD.months[5:6])
    for name in PAGES:
        yield from caller.however_finely(INDICATORS[name])
    yield from caller.profiles()
    yield from pages(caller, PAGES)


def pages(caller: Caller, names: Iterable[str]) -> Iterator[Reading]:
    """Each of another area and month."""
    for number, name in enumerate(names):
        release = number % len(caller.releases)
        yield from page(caller, name, release, CODES[~number % len(CODES)], WORLD.months[-1 - number])


def attacker_of(made: Made, readings: Iterable[Reading], caller: Caller) -> Attacker:
    attacker = Attacker(WORLD, len(made.names), made.truth)
    attacker.reads(readings)
    attacker.moved(caller.changes())
    return attacker


def test_nothing_small_can_be_worked_out_from_all_that_the_public_can_fetch(
    public: Caller, told: list[Reading], made: Made
) -> None:
    assert public.differences == [], "every format tells the same"
    assert attacker_of(made, told, public).recovered(public_indicators()) == []


@pytest.mark.parametrize("authority", [CODES[1]])
def test_nor_by_an_authority_with_its_own_figures_whole(
    authority: str, public: Caller, told: list[Reading], made: Made
) -> None:
    manager = Identity("manager", frozenset({"orders:read"}), authority)
    headers = {"Authorization": f"Bearer {mint(KEYS.private, manager, timedelta(hours=1), system_clock)}"}
    caller = replace(public, headers=headers, own=authority)
    attacker = attacker_of(made, told, caller)
    attacker.knows(authority)
    for indicator in public_indicators():
        attacker.reads(caller.rows(indicator, len(made.names) - 1, (fetching.AREAS[-1], "month", "")))
    assert attacker.recovered(public_indicators(), without=authority) == []


class Channel(NamedTuple):
    """A place where a gate may be weak, what is read there, and of which indicators."""

    weaken: Callable[[pytest.MonkeyPatch], None]
    read: Callable[[Caller, str], Iterator[Reading]]
    leaking: str
    others: tuple[str, ...] = ()
    """What has to be read beside it, from a gate that is not weak."""
    pins: bool = True
    """Whether what it tells is itself hidden; else something small has to follow from it."""


def figures(caller: Caller, indicator: str) -> Iterator[Reading]:
    yield from caller.figures(INDICATORS[indicator])


def stock(caller: Caller, indicator: str) -> Iterator[Reading]:
    yield from caller.rows(INDICATORS[indicator], 1, ("authority", "month", ""))


def years(caller: Caller, indicator: str) -> Iterator[Reading]:
    for breakdown in fetching.breakdowns(INDICATORS[indicator]):
        yield from caller.rows(INDICATORS[indicator], 1, ("authority", "year", breakdown))


def earlier(caller: Caller, indicator: str) -> Iterator[Reading]:
    for breakdown in fetching.breakdowns(INDICATORS[indicator]):
        yield from caller.rows(INDICATORS[indicator], 0, ("authority", "month", breakdown))


def as_of(caller: Caller, indicator: str) -> Iterator[Reading]:
    yield from caller.on_days(INDICATORS[indicator])


def comparison(caller: Caller, indicator: str) -> Iterator[Reading]:
    """Limits alone."""
    for reading in caller.comparisons(INDICATORS[indicator], WORLD.months):
        if reading.numbers.keys() == {"denominator"}:
            yield reading


def profile(caller: Caller, indicator: str) -> Iterator[Reading]:
    yield from caller.profiles([indicator])


def one_page(caller: Caller, indicator: str) -> Iterator[Reading]:
    yield from page(caller, indicator, 1, CODES[0], WORLD.months[3])


def nothing(_caller: Caller, _indicator: str) -> Iterator[Reading]:
    yield from ()


def tells(*names: str) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: leaks.leak(patch, *names)


def in_format(extension: str) -> Callable[[Caller, str], Iterator[Reading]]:
    def read(caller: Caller, indicator: str) -> Iterator[Reading]:
        for breakdown in fetching.breakdowns(INDICATORS[indicator]):
            yield from caller.in_format(INDICATORS[indicator], breakdown, extension, "month")

    return read


CHANNELS = {
    "small counts alone are hidden": Channel(leaks.small_counts_alone, figures, "orders_imposed", pins=False),
    "the value of a share": Channel(tells("value"), figures, "risk_change"),
    "an interval": Channel(tells("lower", "upper"), figures, "risk_change"),
    "what a share is of": Channel(tells("denominator"), figures, "risk_change"),
    "a mean": Channel(tells("value"), figures, "unpaid_work_hours_mean", ("unpaid_work_hours_imposed",)),
    "hours of hidden orders": Channel(tells("numerator"), figures, "unpaid_work_hours_imposed", ("orders_imposed",)),
    "a stock": Channel(leaks.stocks, stock, "hours_outstanding", ("unpaid_work_hours_imposed", "orders_ended")),
    "a year": Channel(tells("numerator"), years, "orders_ended"),
    "an earlier release": Channel(tells("numerator"), earlier, "orders_ended"),
    "a day": Channel(tells("numerator"), as_of, "risk_change"),
    "a change": Channel(leaks.changes, nothing, "orders_ended", ("orders_ended", "completion_rate"), pins=False),
    "limits of a comparison": Channel(tells("value", "numerator", "denominator"), comparison, "completion_rate"),
    "a profile": Channel(tells("numerator"), profile, "risk_change"),
    "a bar of a chart": Channel(tells("value"), one_page, "orders_imposed"),
    "a whisker of a chart": Channel(tells("value", "lower", "upper"), one_page, "first_contact_within_1"),
    "a table": Channel(tells("numerator"), one_page, "first_contact_within_1"),
    **{f"a file in {name}": Channel(tells("numerator"), in_format(name), "orders_ended") for name in fetching.FORMATS},
}


@pytest.mark.parametrize("name", CHANNELS)
def test_what_one_channel_leaks_is_worked_out(
    name: str, weak: Caller, told: list[Reading], made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = CHANNELS[name]
    concerned = {channel.leaking, *channel.others}
    channel.weaken(monkeypatch)
    attacker = attacker_of(made, (reading for reading in told if reading.indicator in concerned), weak)
    if channel.pins:
        assert attacker.pins(channel.read(weak, channel.leaking))
    else:
        attacker.reads(channel.read(weak, channel.leaking))
        assert attacker.recovers_any(INDICATORS[each] for each in concerned)


def test_why_a_figure_moved_is_not_for_the_public(public: Caller) -> None:
    query = "from=2025-04&to=2026-03&first_day=2026-05-08&last_day=2026-05-09"
    for indicator in public_indicators():
        for area in ("", f"&authority={SMALL}"):
            answer = public.client.get(f"/v1/indicators/{indicator.id}/difference?{query}{area}")
            assert answer.status_code == 403, answer.text


@pytest.mark.parametrize("path", ["/metrics", "/v1/quality", "/v1/releases", "/quality"])
def test_what_is_about_the_service_tells_no_figures(path: str, public: Caller) -> None:
    body = public.client.get(path).text
    assert not any(word in body for word in ("sex=", "numerator", "orders_imposed")), path


def test_the_description_of_a_file_tells_no_figures(public: Caller) -> None:
    body = public.get("/v1/indicators/orders_imposed/data.csv-metadata.json?by=authority,month,sex").json()
    assert body["tableSchema"]["columns"], "it describes the file"
    assert not re.findall(r'"(numerator|value|reports)":\s*\d', str(body))

"""People sign in with a real provider; their sessions are rows that end by themselves, by their person, and at once."""

import asyncio
import re
import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import Engine, text

from services.chassis.audit import store
from services.chassis.audit.model import WHOLE_SERVICE
from services.chassis.clock import FixedClock
from services.chassis.database import transaction
from services.chassis.guarding.guessing import MOST_WRONG
from services.chassis.metrics import new_registry
from services.chassis.settings import DatabaseSettings, SiteSettings
from services.chassis.web.sessions import Session, handle_of
from services.desk import app as desk_app
from services.desk.session_store import AskedSessions
from services.desk.settings import ApiSettings as DeskSettings
from services.reporting.app import build
from services.reporting.settings import ApiSettings
from tests.integration.reporting.conftest import NOW
from tests.support.asking import InThisThread, in_one_minute
from tests.support.outside.oidc import Provider, provider, sign_in, through

FIGURES, DESK = "https://figures.test", "https://desk.test"
COOKIE = "__Host-payback_session"
FROM_HERE = {"Sec-Fetch-Site": "same-origin"}
Browser = Callable[[], TestClient]


@pytest.fixture(scope="module")
def signing() -> Iterator[Provider]:
    with provider([FIGURES, DESK]) as running:
        yield running


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def browser(database_settings: DatabaseSettings, database: Engine, clock: FixedClock, signing: Provider) -> Browser:
    """Return the figures in a new browser, against one and the same service."""
    settings = ApiSettings(
        database=database_settings,
        tokens=signing.tokens(),
        oidc=signing.site(FIGURES),
        site=SiteSettings(session_hours=8, idle_minutes=30),
    )
    app = build(settings, database, new_registry(), clock)
    return lambda: InThisThread(app, base_url=FIGURES)


@pytest.fixture
def desk(browser: Browser, signing: Provider) -> TestClient:
    """Return the desk in a browser; it asks the figures' service for sessions."""
    figures = httpx.AsyncClient(transport=httpx.ASGITransport(app=browser().app))
    settings = DeskSettings(tokens=signing.tokens(), oidc=signing.site(DESK))
    return InThisThread(desk_app.build(settings, new_registry(), figures), base_url=DESK)


def is_signed_in(site: TestClient) -> bool:
    return "Sign out" in site.get("/about").text


def sessions_of(site: TestClient) -> list[str]:
    return re.findall(r"/sessions/([0-9a-f]{16})", site.get("/sessions").text)


def returned(site: TestClient, account: str = "case worker") -> str:
    """Return the address to which the provider sends the browser at the end."""
    begun = site.get("/sign-in/begin", follow_redirects=False)
    return through(begun.headers["location"], account)


def refused(answer: Response) -> bool:
    return answer.status_code == 403 and COOKIE not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize(
    ("account", "shown"),
    [("case worker", "Fife"), ("statistician", "National statistics"), ("operator", "Operations")],
)
def test_people_sign_in_and_see_who_they_are(browser: Browser, account: str, shown: str) -> None:
    site = browser()
    assert not is_signed_in(site)
    answer = sign_in(site, account)
    assert answer.status_code == 200
    kept = next(each for each in answer.headers.get_list("set-cookie") if each.startswith(COOKIE))
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=strict"} <= set(kept.split("; "))
    assert "Max-Age" not in kept
    assert "Domain" not in kept
    assert shown in site.get("/about").text
    assert shown not in browser().get("/about").text.partition("<main")[0]


def test_a_machine_signs_in_to_no_page(browser: Browser, database: Engine) -> None:
    site = browser()
    answer = sign_in(site, "vendor machine")
    assert refused(answer)
    assert "belongs to a machine that sends events" in answer.text
    with transaction(database) as connection:
        assert connection.scalar(text("SELECT count(*) FROM sessions")) == 0


def test_signing_out_ends_the_session_on_the_server(browser: Browser) -> None:
    site, thief = browser(), browser()
    sign_in(site, "case worker")
    thief.cookies.set(COOKIE, site.cookies[COOKIE], domain="figures.test")
    assert is_signed_in(thief)
    site.post("/sign-out", headers={"Sec-Fetch-Site": "cross-site"})
    assert is_signed_in(site)
    site.post("/sign-out", headers=FROM_HERE)
    assert not is_signed_in(site)
    assert not is_signed_in(thief)


def test_a_person_ends_any_of_their_own_sessions_and_nobody_elses(browser: Browser) -> None:
    here, there, other = browser(), browser(), browser()
    for site, account in ((here, "case worker"), (there, "case worker"), (other, "statistician")):
        sign_in(site, account)
    (theirs,) = sessions_of(other)
    mine, lost = sorted(sessions_of(here), key=lambda name: (name not in handle(here), name))
    assert mine != theirs
    here.post(f"/sessions/{theirs}", headers=FROM_HERE)
    here.post(f"/sessions/{lost}", headers={"Sec-Fetch-Site": "cross-site"})
    assert is_signed_in(other)
    assert is_signed_in(there)
    here.post(f"/sessions/{lost}", headers=FROM_HERE)
    assert not is_signed_in(there)
    assert sessions_of(here) == [mine]


def handle(site: TestClient) -> str:
    """Return the handle by which the server knows the browser's session."""
    return handle_of(site.cookies[COOKIE])


def test_a_session_ends_when_nobody_uses_it(browser: Browser, clock: FixedClock) -> None:
    site = browser()
    sign_in(site, "case worker")
    for _ in range(3):
        clock.move(timedelta(minutes=29))
        assert is_signed_in(site)
    clock.move(timedelta(minutes=30))
    assert not is_signed_in(site)


def test_a_session_ends_after_some_hours_however_it_is_used(browser: Browser, clock: FixedClock) -> None:
    site = browser()
    sign_in(site, "case worker")
    for _ in range(23):
        clock.move(timedelta(minutes=20))
        assert is_signed_in(site)
    clock.move(timedelta(minutes=20))
    assert not is_signed_in(site)


def test_a_sign_in_that_another_browser_began_signs_nobody_in(browser: Browser) -> None:
    """Else somebody could have us work under their account."""
    attacker, victim = browser(), browser()
    address = returned(attacker)
    assert refused(victim.get(address))
    victim.get("/sign-in/begin", follow_redirects=False)
    assert refused(victim.get(address))
    assert not is_signed_in(victim)


def test_a_code_is_good_once_and_in_its_own_browser(browser: Browser) -> None:
    site, other = browser(), browser()
    address = returned(site)
    attempt = site.cookies["__Host-payback_signing_in"]
    assert site.get(address).status_code == 200
    site.cookies.set("__Host-payback_signing_in", attempt, domain="figures.test")
    assert refused(site.get(address))
    code = parse_qs(urlsplit(returned(browser())).query)["code"]
    asked = parse_qs(urlsplit(other.get("/sign-in/begin", follow_redirects=False).headers["location"]).query)
    injected = urlencode({"code": code[0], "state": asked["state"][0], "iss": "http://elsewhere"})
    assert refused(other.get(f"/sign-in/done?{injected}"))


def test_a_code_that_was_stolen_is_of_no_use_without_its_verifier(browser: Browser, signing: Provider) -> None:
    thief, victim = browser(), browser()
    code = parse_qs(urlsplit(returned(victim)).query)["code"][0]
    asked = parse_qs(urlsplit(thief.get("/sign-in/begin", follow_redirects=False).headers["location"]).query)
    injected = urlencode({"code": code, "state": asked["state"][0], "iss": signing.issuer})
    assert refused(thief.get(f"/sign-in/done?{injected}"))


def test_what_the_provider_says_of_another_sign_in_is_refused(browser: Browser) -> None:
    """The nonce binds the identity to the attempt."""
    site = browser()
    begun = site.get("/sign-in/begin", follow_redirects=False).headers["location"]
    foreign = re.sub("nonce=[0-9a-f]+", "nonce=" + "0" * 64, begun)
    assert foreign != begun
    answer = site.get(through(foreign, "case worker"))
    assert refused(answer)
    assert "does not belong to this sign-in" in answer.text


def test_who_signed_in_and_out_and_who_could_not_is_on_record(browser: Browser, database: Engine) -> None:
    site = browser()
    sign_in(site, "statistician")
    assert [site.get(path).status_code for path in ("/", "/v1/indicators")] == [200, 200]
    site.post("/sign-out", headers=FROM_HERE)
    assert refused(site.get("/sign-in/done", params={"state": "x", "code": "y"}))
    with transaction(database) as connection:
        kept = store.search(connection, WHOLE_SERVICE, store.Question(), 10)
    acts = [one.entry for one in reversed(kept) if one.entry.kind == "act"]
    assert [(act.what, act.detail["site"]) for act in acts] == [
        (what, "Figures") for what in ("sign in", "sign out", "sign in refused")
    ]
    assert [act.who == acts[0].who for act in acts] == [True, True, False]
    assert acts[0].role == "statistician"
    looks = {one.entry.what for one in kept if one.entry.kind == "look"}
    assert looks == {"GET /"}, "a session counts for pages, and the API answers as it does the public"


def test_no_token_stands_in_an_address_or_in_the_database(browser: Browser, database: Engine) -> None:
    site = browser()
    address = returned(site)
    assert parse_qs(urlsplit(address).query).keys() == {"code", "state", "iss"}
    site.get(address)
    with transaction(database) as connection:
        (row,) = connection.execute(text("SELECT handle, sealed FROM sessions"))
    assert site.cookies[COOKIE] not in row.handle
    assert not re.search(rb"eyJ|orders:read|S12000047", bytes(row.sealed))


def test_sign_ins_that_anybody_may_begin_read_no_certificates(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes 20 ms, for which everybody else would wait."""
    site, read = browser(), 0
    begun = site.get("/sign-in/begin", follow_redirects=False).status_code

    def count(*_: object, **__: object) -> None:
        nonlocal read
        read += 1

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", count)
    assert {site.get("/sign-in/begin", follow_redirects=False).status_code for _ in range(3)} == {begun} == {303}
    assert read == 0


def test_in_production_no_token_signs_in_by_cookie_or_form(browser: Browser) -> None:
    site, signed = browser(), browser()
    sign_in(signed, "case worker")
    token = issued(signed)
    assert signed.get("/v1/positions", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert "Token" not in site.get("/sign-in").text
    assert site.post("/sign-in", data={"token": token}, headers=FROM_HERE).status_code == 403
    site.cookies.set("payback_token", token, domain="figures.test")
    assert not is_signed_in(site)


def issued(site: TestClient) -> str:
    """Return the person's token, as only the server with the cookie can get at it."""
    sessions = site.app.state.sessions  # type: ignore[attr-defined]
    header = f"{COOKIE}={site.cookies[COOKIE]}".encode()
    scope = {"type": "http", "headers": [(b"cookie", header)]}
    session = asyncio.run(sessions.find(scope))
    assert session is not None
    return str(session.token)


def test_the_desk_has_the_same_sessions(browser: Browser, desk: TestClient, clock: FixedClock) -> None:
    figures = browser()
    sign_in(figures, "case worker")
    with desk:
        assert desk.get("/check", follow_redirects=False).headers["location"] == "/sign-in"
        assert sign_in(desk, "case worker").status_code == 200
        assert "Sign out" in desk.get("/check").text
        assert len(sessions_of(desk)) == len(sessions_of(figures)) == 2
        assert {"Desk", "Figures"} <= set(re.findall(r"<td>(\w+)</td>", desk.get("/sessions").text))
        (of_desk,) = {name for name in sessions_of(figures) if name in handle(desk)}
        figures.post(f"/sessions/{of_desk}", headers=FROM_HERE)
        assert desk.get("/check", follow_redirects=False).headers["location"] == "/sign-in"
        sign_in(desk, "case worker")
        clock.move(timedelta(minutes=30))
        assert desk.get("/check", follow_redirects=False).headers["location"] == "/sign-in"
        sign_in(desk, "case worker")
        old = desk.cookies[COOKIE]
        desk.post("/sign-out", headers=FROM_HERE)
        desk.cookies.set(COOKIE, old, domain="desk.test")
        assert desk.get("/check", follow_redirects=False).headers["location"] == "/sign-in"


def test_while_the_figures_are_away_the_desk_says_so(signing: Provider) -> None:
    settings = DeskSettings(tokens=signing.tokens(), oidc=signing.site(DESK))
    nowhere = httpx.AsyncClient(transport=httpx.MockTransport(_away))
    with TestClient(desk_app.build(settings, new_registry(), nowhere), base_url=DESK) as desk:
        desk.cookies.set(COOKIE, "anything", domain="desk.test")
        assert desk.get("/check", follow_redirects=False).status_code == 503


def _away(_request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("away")


def test_cookies_that_nobody_was_given_are_looked_up_so_often_and_no_more(
    desk: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody can make them up, and the desk asks the figures about each, which count what the desk asks."""
    asked: list[str] = []

    def counted(name: str) -> None:
        whole = getattr(AskedSessions, name)

        async def call(self: AskedSessions, handle: str, *more: object) -> object:
            asked.append(handle)
            return await whole(self, handle, *more)

        monkeypatch.setattr(AskedSessions, name, call)

    counted("find")
    counted("end")
    with desk:
        sign_in(desk, "case worker")
        altered = desk.cookies[COOKIE][:-1] + "-"
        stranger = InThisThread(desk.app, base_url=DESK)
        in_one_minute(desk.app)
        asked.clear()
        for number in range(2 * MOST_WRONG):
            for cookie in (f"made-up-{number}", f"{altered}{number}"):
                made_up = {"Cookie": f"{COOKIE}={cookie}"}
                answer = stranger.get("/check", headers=made_up, follow_redirects=False)
                assert answer.headers["location"] == "/sign-in"
                stranger.post("/sign-out", headers=made_up | FROM_HERE, follow_redirects=False)
        assert len(asked) == MOST_WRONG
        assert "Sign out" in desk.get("/check").text, "whoever has a session of ours is at the same address"


def test_a_session_is_asked_about_in_the_name_of_its_person_from_the_start(
    desk: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked in nobody's name waits behind the public, of whom there may be many."""
    known: list[bool] = []
    whole = AskedSessions.find

    async def find(self: AskedSessions, handle: str, before: Session | None) -> bytes | None:
        known.append(before is not None)
        return await whole(self, handle, before)

    monkeypatch.setattr(AskedSessions, "find", find)
    with desk:
        sign_in(desk, "case worker")
        known.clear()
        assert "Sign out" in desk.get("/check").text
    assert known == [True]

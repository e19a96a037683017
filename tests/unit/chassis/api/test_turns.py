"""A greedy caller waits for its own turn, and whoever is signed in finds room beside any number of others."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from time import perf_counter
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from services.chassis.api import callers, turns
from services.chassis.api.auth import Identity, generate_keys, mint
from services.chassis.api.callers import Caller
from services.chassis.api.policy import Policy
from services.chassis.api.problems import Problem
from services.chassis.api.turns import Places, Turns
from services.chassis.clock import system_clock
from services.chassis.guarding.budgets import Budgets, Spent
from services.chassis.settings import HttpSettings, TokenSettings

KEYS = generate_keys()
SETTINGS = HttpSettings(port=0, public_at_once=3, caller_at_once=4, signed_in_at_once=13)
POLICIES = {"GET /work": Policy(), "GET /listen": Policy(listens=True), "GET /session": Policy(apart=True)}


@pytest.fixture(autouse=True)
def refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callers, "REFUSED_SECONDS", 0.0)


class Route:
    def __init__(self, path: str) -> None:
        self.path = path


async def nothing() -> Message:
    return {"type": "http.disconnect"}


class Work:
    """An application of which each request takes until it is told to end."""

    def __init__(self) -> None:
        self.running: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.end = asyncio.Event()
        self.budgets = Budgets()
        self.bounded = Turns(self._work, SETTINGS, TokenSettings(public_key=KEYS.public), POLICIES, self.budgets)

    async def _work(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = Route(scope["path"])
        while (await receive()).get("more_body"):
            pass
        kind = "known" if scope["headers"] else "public"
        self.running[kind] += 1
        self.most[kind] = max(self.most[kind], self.running[kind])
        if scope["path"] == "/listen":
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.end.wait()
        self.running[kind] -= 1
        if scope["path"] != "/listen":
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def ask(
        self,
        address: str,
        subject: str | None = None,
        path: str = "/work",
        authority: str | None = None,
        receive: Receive = nothing,
        is_read: asyncio.Event | None = None,
    ) -> int:
        """Return the status of the answer. What is answered waits until it `is_read`."""
        told: list[int] = []

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                told.append(message["status"])
            elif is_read:
                await is_read.wait()

        headers: list[Any] = []
        if subject:
            token = mint(KEYS.private, Identity(subject, authority=authority), timedelta(hours=1), system_clock)
            headers = [(b"authorization", f"Bearer {token}".encode())]
        await self.bounded(
            {"type": "http", "method": "GET", "path": path, "headers": headers, "client": (address, 1)}, receive, send
        )
        return told[0]

    async def answers_at_once(self, authority: str) -> None:
        """Check that somebody of the authority is let in."""
        before = self.running["known"]
        asked = asyncio.create_task(self.ask("192.0.2.1", "somebody", authority=authority))
        await settle()
        assert self.running["known"] == before + 1
        self.end.set()
        assert await asked == 200
        self.end.clear()


def tried(test: Callable[[Work], Awaitable[None]]) -> None:
    """Run it in a loop of its own."""

    async def run() -> None:
        await test(Work())

    asyncio.run(run())


async def settle() -> None:
    for _ in range(200):
        await asyncio.sleep(0)


def test_the_public_shares_a_few_turns_and_one_address_has_not_all() -> None:
    async def test(work: Work) -> None:
        greedy = [asyncio.create_task(work.ask("192.0.2.1")) for _ in range(10)]
        await settle()
        assert work.running["public"] == 2
        others = [asyncio.create_task(work.ask(f"192.0.2.{number}")) for number in range(2, 9)]
        await settle()
        assert work.running["public"] == 3
        known = asyncio.create_task(work.ask("192.0.2.1", "analyst"))
        await settle()
        assert work.running["known"] == 1
        work.end.set()
        assert set(await asyncio.gather(*greedy, *others, known)) == {200}
        assert work.most["public"] == 3

    tried(test)


def test_who_is_about_to_be_known_does_not_wait_for_the_public() -> None:
    """A site that asks for a session has turns, however many others there are, and were they at its own address; they are few, too."""

    async def test(work: Work) -> None:
        public = [asyncio.create_task(work.ask(f"192.0.2.{number}")) for number in (1, 1, 1, 2, 3, 4, 5)]
        await settle()
        assert work.running["public"] == 3
        asked = [asyncio.create_task(work.ask(f"192.0.2.{number}", path="/session")) for number in (1, 1, 1, 9, 9)]
        await settle()
        assert work.running["public"] == 6
        work.end.set()
        assert set(await asyncio.gather(*public, *asked)) == {200}

    tried(test)


def test_one_caller_has_so_many_turns_and_a_short_line() -> None:
    async def test(work: Work) -> None:
        asked = [asyncio.create_task(work.ask("192.0.2.1", "greedy")) for _ in range(4 + turns.IN_LINE_EACH + 5)]
        another = asyncio.create_task(work.ask("192.0.2.1", "another"))
        await settle()
        assert work.running["known"] == 5
        work.end.set()
        assert Counter(await asyncio.gather(*asked, another)) == {200: 4 + turns.IN_LINE_EACH + 1, 503: 5}

    tried(test)


THREE = ("S12000049", "S12000036", "S12000047")


def test_three_authorities_that_ask_for_all_they_can_leave_turns_for_the_others() -> None:
    """However many accounts they have."""

    async def test(work: Work) -> None:
        asked = [
            asyncio.create_task(work.ask("192.0.2.1", f"machine-{n % 5}", authority=authority))
            for authority in THREE
            for n in range(50)
        ]
        await settle()
        assert work.running["known"] == 3 * 4
        await work.answers_at_once(authority="S12000013")
        work.end.set()
        assert set(await asyncio.gather(*asked)) == {200}

    tried(test)


def test_whose_body_is_on_its_way_or_whose_answer_is_not_read_takes_no_turn() -> None:
    async def test(work: Work) -> None:
        sent = asyncio.Event()

        async def slowly() -> Message:
            await sent.wait()
            return {"type": "http.request", "body": b"", "more_body": False}

        sending = [
            asyncio.create_task(work.ask("192.0.2.1", "slow", authority=THREE[0], receive=slowly)) for _ in range(4)
        ]
        work.end.set()
        reading = [
            asyncio.create_task(work.ask("192.0.2.1", "deaf", authority=THREE[0], is_read=sent)) for _ in range(4)
        ]
        await settle()
        work.end.clear()
        await work.answers_at_once(authority=THREE[0])
        sent.set()
        work.end.set()
        assert set(await asyncio.gather(*sending, *reading)) == {200}

    tried(test)


def test_who_is_not_signed_in_and_asks_for_more_than_may_run_gets_it_at_a_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "PACE_SECONDS", 0.2)  # much longer than a busy machine takes for what is not paced

    async def test(work: Work) -> None:
        taken: dict[str, float] = {}
        for name, subject, number in (("greedy", None, 10), ("known", "analyst", 10), ("one by one", None, 1)):
            begun = perf_counter()
            for _ in range(10 // number):
                work.end.clear()
                asked = [asyncio.create_task(work.ask("192.0.2.1", subject)) for _ in range(number)]
                await settle()
                work.end.set()
                assert set(await asyncio.gather(*asked)) == {200}
            taken[name] = perf_counter() - begun
        paced = (10 / 2 - 1) * turns.PACE_SECONDS  # the last two hold nobody up
        assert taken["greedy"] >= paced
        assert max(taken["known"], taken["one by one"]) < paced
        assert work.budgets.spent("address 192.0.2.1").seconds < paced, "waiting is no work"

    tried(test)


def test_who_waits_too_long_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.01)

    async def test(work: Work) -> None:
        asked = [asyncio.create_task(work.ask("192.0.2.1")) for _ in range(3)]
        done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
        assert [each.result() for each in done] == [503]
        work.end.set()
        assert sorted(await asyncio.gather(*asked)) == [200, 200, 503]

    tried(test)


def test_who_only_listens_takes_no_turn() -> None:
    async def test(work: Work) -> None:
        listeners = [asyncio.create_task(work.ask("192.0.2.1", path="/listen")) for _ in range(10)]
        await settle()
        assert work.running["public"] == 10
        work.end.set()
        assert set(await asyncio.gather(*listeners)) == {200}
        assert not work.bounded._present
        assert not work.bounded._callers

    tried(test)


def test_places_to_listen_are_left_for_who_is_signed_in() -> None:
    async def test(_work: Work) -> None:
        places = Places(most=6, each=2)
        held = [places.take(Caller("address", f"{number}")) for number in (1, 1, 2)]
        for one in held:
            await one.__aenter__()
        with pytest.raises(Problem) as refused:
            places.free(Caller("address", "1"))
        assert refused.value.status_code == 429
        with pytest.raises(Problem) as refused:
            places.free(Caller("address", "3"))
        assert refused.value.status_code == 503
        places.free(Caller("token", "analyst"))
        await held[0].__aexit__(None, None, None)
        places.free(Caller("address", "3"))

    tried(test)


def test_who_was_worked_for_long_enough_waits_for_the_next_minute() -> None:
    """And whoever is signed in, or comes from elsewhere, does not."""

    async def run() -> list[int]:
        work = Work()
        work.end.set()
        found = [await work.ask("192.0.2.1")]
        assert work.budgets.spent("address 192.0.2.1").seconds > 0
        work.budgets.take("address 192.0.2.1", Spent(seconds=SETTINGS.public_seconds))
        found += [await work.ask(*who) for who in (("192.0.2.1",), ("192.0.2.2",), ("192.0.2.1", "somebody"))]
        return found

    assert asyncio.run(run()) == [200, 429, 200, 200]

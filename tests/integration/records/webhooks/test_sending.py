"""A receiver takes the feed: all of it, in its order, at least once, and at the receiver's own pace."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from threading import Event

import pytest

from services.chassis.failures import Away
from services.records.webhooks import subscriptions
from tests.integration.records.api.receipts.test_following import fetches
from tests.integration.records.conftest import Bench
from tests.integration.records.webhooks.conftest import A, B, Telling
from tests.support.outside.receiver import Receiver, receiver, status


@pytest.mark.parametrize("name", ["orders", "unpaid_work"])
def test_a_receiver_is_told_what_the_feed_tells_its_authority_and_no_more(
    bench: Callable[[str], Bench], name: str, there: Receiver
) -> None:
    telling = Telling(bench(name))
    telling.add(there, authority=B)
    for fetch in fetches(telling.bench):
        telling.bench.worker().process(fetch)
        telling.rounds()
    told = telling.feed(B)
    assert len(told) > 1
    assert there.told == [{**one, "authority": B, "service": name} for one in told]
    assert there.ids == [f"{name}.{B}.{one['cursor']}" for one in told]
    assert [body["type"] for _, body in there.messages] == [f"{name}.{one['kind']}" for one in told]
    telling.rounds()
    assert len(there.ids) == len(told)


def test_only_what_is_new_is_sent_unless_asked_otherwise(orders: Telling, there: Receiver) -> None:
    orders.refuse("old-1", "old-2")
    orders.add(there, after=None)
    with receiver() as from_the_middle:
        orders.add(from_the_middle, after=orders.feed()[0]["cursor"])
        orders.rounds()
        orders.refuse("new-1")
        orders.rounds()
        assert [one["event"] for one in from_the_middle.told] == ["old-2", "new-1"]
    assert [one["event"] for one in there.told] == ["new-1"]


def test_a_sender_that_dies_is_followed_by_one_that_sends_the_same(
    orders: Telling, there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders.refuse("a", "b")
    orders.add(there)
    with monkeypatch.context() as patch:  # the messages have gone out, and that they have is not noted
        patch.setattr(subscriptions, "settle", lost)
        orders.rounds()
    orders.rounds()
    assert len(there.ids) == 2, "somebody may still be sending"
    orders.pass_(minutes=2)
    orders.refuse("c")
    orders.rounds()
    assert there.ids == [*there.ids[:2], *there.ids[:2], there.ids[4]]
    assert [one["event"] for one in there.told] == ["a", "b", "a", "b", "c"]


def lost(*_: object) -> bool:
    raise Away("lost before it was noted")


def test_several_senders_share_the_receivers(orders: Telling, there: Receiver) -> None:
    orders.refuse(*(f"event-{number}" for number in range(20)))
    orders.add(there)
    orders.rounds(senders=4)
    assert len(there.ids) == len(set(there.ids)) == 20


def test_a_receiver_that_never_answers_holds_up_nobody(orders: Telling, there: Receiver) -> None:
    orders.refuse("a", "b")
    orders.refuse("other", authority=B)
    asked, taken, go_on = Event(), Event(), Event()

    def hang(handler: BaseHTTPRequestHandler) -> None:
        asked.set()
        go_on.wait(30)
        status(204)(handler)

    def take(handler: BaseHTTPRequestHandler) -> None:
        status(204)(handler)
        taken.set()

    with receiver() as slow:
        slow.answer, there.answer = hang, take
        orders.add(slow)
        asyncio.run(while_one_hangs(orders, lambda: orders.add(there, authority=B), asked, taken, go_on))
        assert (len(slow.ids), [one["event"] for one in there.told]) == (1, ["other"])


async def while_one_hangs(orders: Telling, add: Callable[[], object], asked: Event, taken: Event, go_on: Event) -> None:
    """Run a sender until another receiver, which was added once the first hung, has taken its message."""
    stop = asyncio.Event()
    with ThreadPoolExecutor(8) as names:
        running = asyncio.create_task(orders.sender(names).run(stop))
        assert await asyncio.to_thread(asked.wait, 10)
        await asyncio.to_thread(add)
        assert await asyncio.to_thread(taken.wait, 4), "it waits for the one that hangs"
        stop.set()
        go_on.set()
        await running


def test_a_receiver_that_fails_is_tried_again_and_misses_nothing(orders: Telling, there: Receiver) -> None:
    orders.refuse("a", "b", "c")
    orders.add(there)
    there.answer = status(500)
    orders.rounds()
    orders.rounds()
    assert [one["event"] for one in there.told] == ["a"], "not before its time"
    (shown,) = orders.shown()
    assert (shown["attempts"], shown["fault"]) == (1, "It answered with another status than 2xx")
    orders.pass_(seconds=5)
    there.answer = status(204)
    orders.rounds()
    orders.rounds()
    assert [one["event"] for one in there.told] == ["a", "a", "b", "c"]
    assert there.ids[0] == there.ids[1]
    (shown,) = orders.shown()
    assert (shown["attempts"], shown["fault"], shown["failing_since"]) == (0, None, None)
    value = orders.registry.get_sample_value
    sent = [value("payback_webhook_messages_total", {"authority": A, "result": one}) for one in ("failed", "delivered")]
    assert sent == [1, 3]


def test_one_that_fails_for_days_is_stopped_and_can_be_resumed(orders: Telling, there: Receiver) -> None:
    orders.refuse("a")
    webhook = orders.add(there)
    there.answer = status(302, location="http://127.0.0.1:1/")
    orders.rounds()
    orders.pass_(hours=73)
    there.secret = ""  # the library believes no message of another day
    orders.rounds()
    orders.pass_(hours=2)
    orders.rounds()
    assert len(there.ids) == 2
    (shown,) = orders.shown()
    assert shown["stopped_at"]
    assert shown["next_at"] is None
    assert shown["fault"] == "It answered with another status than 2xx"
    stopped = orders.registry.get_sample_value("payback_webhook_receivers_stopped", {"authority": A})
    assert stopped == 1
    orders.refuse("b")
    there.answer = status(200)
    assert orders.ask("POST", f"/{webhook}/resume", {}).json()["stopped_at"] is None
    orders.rounds()
    assert [one["event"] for one in there.told] == ["a", "a", "a", "b"]
    orders.ask("POST", f"/{webhook}/resume", {"after": orders.feed()[0]["cursor"]})
    orders.rounds()
    assert [one["event"] for one in there.told][4:] == ["b"], "what somebody lost can be sent again"


def test_one_that_wants_nothing_more_is_stopped_at_once(orders: Telling, there: Receiver) -> None:
    orders.refuse("a", "b")
    orders.add(there)
    there.answer = status(410)
    orders.rounds()
    assert orders.shown()[0]["stopped_at"]
    assert len(there.ids) == 1


def test_who_is_taken_away_while_a_round_runs_is_sent_nothing_more(orders: Telling, there: Receiver) -> None:
    orders.refuse("a", "b", "c")
    webhook = orders.add(there)

    def taken_away_meanwhile(handler: BaseHTTPRequestHandler) -> None:
        orders.ask("DELETE", f"/{webhook}")
        status(204)(handler)

    there.answer = taken_away_meanwhile
    orders.rounds()
    assert len(there.ids) == 1


def test_a_sender_that_was_overtaken_sends_nothing_more(orders: Telling, there: Receiver) -> None:
    """What another has sent by then would come once more, behind what follows it."""
    orders.refuse("a", "b", "c")
    orders.add(there)

    def overtaken(handler: BaseHTTPRequestHandler) -> None:
        there.answer = status(204)
        orders.pass_(minutes=2)
        orders.rounds()
        status(204)(handler)

    there.answer = overtaken
    orders.rounds()
    assert [one["event"] for one in there.told] == ["a", "a", "b", "c"]


def test_while_a_round_runs_a_manager_has_the_last_word(orders: Telling, there: Receiver) -> None:
    orders.refuse("a")
    webhook = orders.add(there)

    def resumed_meanwhile(handler: BaseHTTPRequestHandler) -> None:
        orders.ask("POST", f"/{webhook}/resume", {})
        status(410)(handler)

    there.answer = resumed_meanwhile
    orders.rounds()
    assert orders.shown()[0]["stopped_at"] is None

"""A record of the log changes when its person is forgotten, however it was written; records of others do not."""

from base64 import b64encode
from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.decoding.codec import Event, decode, encode
from contracts.events import Fact, FactWithdrawn, OrderReceived, Topic, TransferReceived
from contracts.topics import topic_of
from services.records.upkeep.renaming import Person, Renaming, Said
from tests.support.lives import event, imposed
from tests.support.scenario import NOON

A, B = "S12000005", "S12000036"
P = "person-of-tests-0001"
IMPOSED = imposed(date(2025, 3, 3))


def said(value: bytes | None, authority: str = A, key: bytes = b"") -> Said:
    return Said(topic_of(Topic.ORDERS, authority), NOON, key, value)


def told(fact: Fact, subject: str = "CPO/1", authority: str = A, number: int = 1) -> Said:
    return said(encode(event(fact, subject, authority, number)), authority, subject.encode())


def escaped(text: str) -> bytes:
    """Escape every letter, as some programs write them."""
    return b"".join(b"\\u%04x" % ord(one) for one in text)


def broken(value: bytes) -> bytes:
    """Return an event that is refused for its court."""
    assert b'"sheriff_summary"' in value
    return value.replace(b'"sheriff_summary"', b'"no court"')


def forgotten(*log: Said) -> list[Said]:
    """Return the log after everything about the person was given other names."""
    person = Person.found_in(A, P, [one for one in log if one.topic.endswith(A)])
    renaming = Renaming.of(person, log, "token")
    return [renaming.renamed(one) for one in log]


def outcome(one: Said) -> Event | object:
    found = decode(one.value, Topic.ORDERS, one.topic.rpartition(".")[2], event(IMPOSED, "CPO/1", A).time)
    return found.type if isinstance(found, Event) else (found.reason, found.path)


VALUE = encode(event(IMPOSED, "CPO/1", A))
WAYS = {
    "escaped pseudonym": VALUE.replace(P.encode(), escaped(P)),
    "escaped reference": VALUE.replace(b"CPO/1", escaped("CPO/1")),
    "escaped slash": VALUE.replace(b"CPO/1", b"CPO\\/1"),
    "refused": broken(VALUE),
    "refused, escaped": broken(VALUE.replace(P.encode(), escaped(P)).replace(b"CPO/1", escaped("CPO/1"))),
    "refused, with spaces": VALUE.replace(b'"CPO/1"', b'" CPO/1 "'),
    "refused, without the pseudonym": VALUE.replace(P.encode(), b"?").replace(b"sheriff_summary", b"no court"),
    "cut off": VALUE[:-20],
    "cut off, escaped": VALUE.replace(P.encode(), escaped(P))[:-1],
    "a quotation mark lost": VALUE.replace(b'"CPO/1"', b'"CPO/1'),
    "in a sentence": broken(VALUE)
    .replace(b'"no court"', b'"as in CPO/1, and (CPO\\/1)."')
    .replace(b'"CPO/1"', b'"CPO/7"'),
    "in a sentence, cut off": broken(VALUE).replace(b'"no court"', b'"see CPO/1 of').replace(b'"CPO/1"', b'"CPO/7"'),
    "only a reference, cut off": b'{"subject": "CPO/1", "id": ',
    "UTF-16": VALUE.decode().encode("utf-16"),
    "a subject that is no text": VALUE.replace(b'"CPO/1"', b'["CPO/1"]'),
    "an object for a subject": VALUE.replace(b'"CPO/1"', b'{"CPO/1": 1}'),
    "not text": b"\xff" + P.encode(),
}


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_left_of_a_person_however_it_was_written(way: str) -> None:
    before = said(WAYS[way])
    _, after = forgotten(told(IMPOSED), before)
    assert after.value is not None
    plain = after.plain
    assert [name for name in (P, "CPO/1") if name in plain] == []
    assert outcome(after) == outcome(before)


@pytest.mark.parametrize("reference", ["4711234", "48213"])
@pytest.mark.parametrize("pseudonym", [P, "somebody else"])
def test_a_reference_that_was_sent_as_a_number_is_found_and_forgotten(reference: str, pseudonym: str) -> None:
    before = said(VALUE.replace(b'"CPO/1"', reference.encode()).replace(P.encode(), pseudonym.encode()))
    _, after = forgotten(told(IMPOSED, reference), before)
    assert reference not in after.plain
    assert outcome(after) == outcome(before)


def test_a_number_elsewhere_names_nobody_unless_it_can_be_nothing_else() -> None:
    without = broken(VALUE).replace(P.encode(), b"somebody else")
    theirs = said(without.replace(b'"no court"', b'"no court","hours":48213,"year":2025'), key=b"CPO/7")
    assert forgotten(told(IMPOSED, "48213"), theirs)[1] == theirs
    named = said(without.replace(b'"no court"', b'"no court","order":4711234'))
    assert "4711234" not in forgotten(told(IMPOSED, "4711234"), named)[1].plain


def test_a_person_of_whom_only_refused_events_tell_is_found_with_the_reference() -> None:
    refused = said(broken(VALUE), key=b"CPO/1")
    later = told(OrderReceived(received_on=date(2025, 3, 3)), number=2)
    assert [one for one in forgotten(refused, later) if "CPO/1" in one.plain or b"CPO/1" in (one.key or b"")] == []


def test_what_is_spelled_alike_elsewhere_is_another_s() -> None:
    """References are an authority's own, and ids of facts an order's."""
    came = TransferReceived(received_on=date(2025, 5, 6), from_=A, from_subject="CPO/1")
    theirs = [told(came, "CPO/1", B, 2), told(came, "CPO/1", B, 3)]
    others = told(IMPOSED, "CPO/7", number=4)
    others = others._replace(value=(others.value or b"").replace(P.encode(), b"person-of-tests-0002"))
    near = said(broken(VALUE).replace(P.encode(), b"person-of-tests-0002").replace(b"CPO/1", b"CPO/12"))
    _, *after = forgotten(told(IMPOSED), *theirs, others, near)
    assert after[2:] == [others, near]
    for one in after[:2]:
        assert one.key == b"CPO/1"
        document = msgspec.json.decode(one.value or b"")
        assert document["subject"] == "CPO/1"
        assert document["data"]["from_subject"].startswith("erased-token-")


TIMES = ["2024/25", "2024-2025", "2025-03", "2025-03-03", "20250303", "3/3/2025", "03.03.25", "09:30"]


@pytest.mark.parametrize("reference", ["2025", "12", "order", *TIMES])
def test_what_is_said_of_anything_and_is_somebody_s_reference_too_names_nobody(reference: str) -> None:
    text = f'"in order 2025 {reference} or 12 too"'.encode()
    theirs = said(broken(VALUE).replace(P.encode(), b"somebody else").replace(b'"no court"', text), key=b"CPO/7")
    assert forgotten(told(IMPOSED, reference), theirs)[1] == theirs


@pytest.mark.parametrize("reference", ["20241234", "2024/17", "2024-2019", "12-04-3377", "75:12"])
def test_a_year_with_a_number_is_no_date_and_is_found_in_a_sentence(reference: str) -> None:
    text = f'"as in {reference} too"'.encode()
    theirs = said(broken(VALUE).replace(P.encode(), b"somebody else").replace(b'"no court"', text), key=b"CPO/7")
    assert reference not in forgotten(told(IMPOSED, reference), theirs)[1].plain


@pytest.mark.parametrize("reference", TIMES)
def test_a_reference_like_a_date_is_found_where_references_stand(reference: str) -> None:
    without = broken(VALUE).replace(P.encode(), b"somebody else").replace(b"CPO/1", reference.encode())
    for theirs in (said(without), said(without[: without.index(reference.encode()) + len(reference)])):
        assert forgotten(told(IMPOSED, reference), theirs)[1] != theirs


def test_a_mistake_that_named_the_person_leaves_another_s_order_as_it_is() -> None:
    mistaken = told(IMPOSED, "CPO/7", number=7)
    person = Person.found_in(A, P, [told(IMPOSED), mistaken], others=["CPO/7"])
    after = Renaming.of(person, [told(IMPOSED), mistaken], "token").renamed(mistaken)
    before = msgspec.json.decode(mistaken.value or b"")
    document = msgspec.json.decode(after.value or b"")
    assert P not in after.plain
    assert (document["subject"], document["id"], after.key) == ("CPO/7", before["id"], b"CPO/7")


def test_a_key_of_the_person_s_on_another_s_event_changes_nothing_but_the_key() -> None:
    """Producers may choose keys as they like: nothing is read off them."""
    others = told(OrderReceived(received_on=date(2025, 3, 3)), "CPO/7", number=4)._replace(key=b"CPO/1")
    _, after = forgotten(told(IMPOSED), others)
    assert (after.key or b"").startswith(b"erased-token-")
    assert msgspec.json.decode(after.value or b"") == msgspec.json.decode(others.value or b"")


def with_member(name: str, value: str) -> bytes:
    """Return the event with one more member of its envelope, or another value of one."""
    return msgspec.json.encode({**msgspec.json.decode(VALUE), name: value})


BESIDES = {
    "a schema": with_member("dataschema", f"https://example.org/{P}"),
    "a program": with_member("producerversion", f"case/{P}"),
    "a parameter": with_member("datacontenttype", f"application/json; order=CPO-2025; person={P}"),
    "a system": with_member("source", f"/authorities/{A}/systems/{P}"),
}


@pytest.mark.parametrize("value", BESIDES.values(), ids=BESIDES)
def test_an_accepted_event_holds_no_name_in_what_no_count_depends_on(value: bytes) -> None:
    _, after = forgotten(told(IMPOSED), said(value))
    assert P not in after.plain
    assert outcome(after) == outcome(said(value)) == "order.imposed.v1"


@pytest.mark.parametrize("key", [f"person/{P}", "case:CPO/1", f"{A}/CPO/1", P, "CPO/1", "\0".join(P)])
@pytest.mark.parametrize("value", [VALUE, VALUE[:-20], b"{}", None])
def test_no_key_holds_a_name(key: str, value: bytes | None) -> None:
    _, after = forgotten(told(IMPOSED), said(value, key=key.encode()))
    assert (after.key or b"").startswith(b"erased-token-")
    assert outcome(after) == outcome(said(value))


@pytest.mark.parametrize("reference", ["CPO/12", "X/CPO/1", "CPO/1/2", "CPO/1-b"])
def test_a_key_that_is_another_s_own_reference_stays(reference: str) -> None:
    others = encode(event(OrderReceived(received_on=date(2025, 3, 3)), reference, A, 4))
    theirs = said(others, key=reference.encode())
    assert forgotten(told(IMPOSED), theirs)[1] == theirs


@pytest.mark.parametrize("body", [f"<order person='{P}'/>".encode(), b"reference=CPO/1&hours=100", P.encode("utf-16")])
def test_a_body_that_is_no_json_holds_no_name_in_base64_either(body: bytes) -> None:
    before = said(
        msgspec.json.encode({**msgspec.json.decode(VALUE), "subject": "CPO/7", "data_base64": b64encode(body)})
    )
    before = before._replace(value=(before.value or b"").replace(P.encode(), b"somebody else"))
    _, after = forgotten(told(IMPOSED), before)
    assert b64encode(body) not in (after.value or b"")
    assert outcome(after) == outcome(before)


def test_what_others_wrote_that_is_no_text_is_passed_over() -> None:
    odd = [said(b'{"subject": [], "data": {"from": "S12000005", "from_subject": {}}}', code) for code in (A, B)]
    assert forgotten(told(IMPOSED), *odd)[1:] == odd


def test_facts_and_their_withdrawal_go_by_the_same_name() -> None:
    withdrawn = told(FactWithdrawn(fact="transfer/CPO/1-t1"), number=9)
    (_, after) = forgotten(told(IMPOSED), withdrawn)
    kind, _, ref = msgspec.json.decode(after.value or b"")["data"]["fact"].partition("/")
    assert (kind, ref.startswith("erased-token-")) == ("transfer", True)


def test_names_come_in_the_order_of_what_they_replace() -> None:
    log = [told(IMPOSED, subject, number=number) for number, subject in enumerate(("CPO/2", "CPO/10", "CPO/1"), 1)]
    after = [msgspec.json.decode(one.value or b"")["subject"] for one in forgotten(*log)]
    assert sorted(after) == [after[2], after[1], after[0]]


PIECES = st.sampled_from(
    [VALUE, *(one.encode() for one in (P, '"CPO/1"', *'{}[]:,"\\', '"subject"', '"data"')), b"\xff", b"\0", b"1"]
)


@given(st.lists(PIECES, max_size=8).map(b"".join))
def test_whatever_bytes_came_the_person_goes_and_the_outcome_stays(value: bytes) -> None:
    before = said(value)
    _, after = forgotten(told(IMPOSED), before)
    assert P not in after.plain
    assert outcome(after) == outcome(before)

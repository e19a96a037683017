"""An authority on whose event a worker fails waits by itself, and comes back at an operator's word, with everything running."""

import sys

import pytest
from typer.testing import CliRunner

from contracts.decoding.codec import encode
from contracts.events import OfficerNominated, OrderImposed
from contracts.generate.samples import AUTHORITY as SAMPLE
from contracts.generate.samples import EVENTS
from services.cli import command_line
from tests.support.made.load import Load
from tests.support.processes import Platform, until
from tests.support.running.unlucky import SECRET

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

HIT, OTHER = "S12000014", "S12000028"
IMPOSED = next(event for event in EVENTS if isinstance(event.data, OrderImposed))
OFFICER = next(event for event in EVENTS if isinstance(event.data, OfficerNominated))


def post(platform: Platform, authority: str, *raws: bytes) -> dict[str, int]:
    """Post events, and return the last offset of each source."""
    body = b"\n".join(raw.replace(SAMPLE.encode(), authority.encode()) for raw in raws)
    receipts = platform.post("orders", authority, body).raise_for_status().json()["receipts"]
    return {f"{one['topic']}/{one['partition']}": one["offset"] for one in receipts}


def payback(platform: Platform, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    monkeypatch.setenv("PAYBACK_DATABASE_URL", platform.database)
    monkeypatch.setenv("PAYBACK_DATABASE_SCHEMA_NAME", "orders")
    done = CliRunner().invoke(command_line(), ["park", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


def is_parked(platform: Platform, authority: str, worker: str = "orders-worker") -> bool:
    return platform.metric(worker, "payback_authority_parked", authority=authority) == 1


def times_parked(platform: Platform, authority: str) -> int:
    ((number,),) = platform.rows(
        "SELECT count(*) FROM orders.parks WHERE action = 'parked' AND authority = %s", authority
    )
    return int(number)


def test_one_waits_the_others_go_on_and_a_word_brings_it_back(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform.wait_until_shown(post(platform, HIT, encode(IMPOSED)) | post(platform, OTHER, encode(IMPOSED)))
    place = f"WHERE authority = '{HIT}' AND subject = '{IMPOSED.subject}'"
    ((facts,),) = platform.rows(f"SELECT facts::text FROM orders.records {place}")
    platform.execute(f"""UPDATE orders.records SET facts = '{{"imposed": 7}}' {place}""")
    platform.kill("orders-worker")  # what it had in memory could be read
    platform.start("orders-worker")

    behind = post(platform, HIT, encode(OFFICER))
    until(lambda: is_parked(platform, HIT), f"{HIT} is parked")
    platform.wait_until_shown(post(platform, OTHER, encode(OFFICER)))
    assert not is_parked(platform, OTHER)
    ((at, offset),) = behind.items()
    parked = platform.client("orders", HIT).get("/v1/held").json()["parked"]
    assert (f"{parked['topic']}/0", parked["offset"]) == (at, offset)
    assert platform.client("orders", OTHER).get("/v1/held").json()["parked"] is None
    listed = payback(platform, monkeypatch, "list")
    assert HIT in listed
    assert f"at offset {offset}" in listed

    parked_before = times_parked(platform, HIT)
    payback(platform, monkeypatch, "retry", HIT, "--why", "too soon")  # the fault is still there
    until(lambda: times_parked(platform, HIT) > parked_before, "it is parked again")
    platform.execute(f"UPDATE orders.records SET facts = %s {place}", facts)
    payback(platform, monkeypatch, "retry", HIT, "--why", "the row was restored")
    platform.wait_until_shown(behind)
    until(lambda: not is_parked(platform, HIT), f"{HIT} is parked no more")
    assert platform.client("orders", HIT).get("/v1/held").json()["parked"] is None
    history = payback(platform, monkeypatch, "list", "--all")
    assert [line for line in history.splitlines() if "the row was restored" in line]


def test_a_bug_parks_whom_it_hits_and_loses_nothing(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes when all is written and nothing committed, in every batch with something of that authority."""
    hit, other = Load(["S12000018"], months=2), Load(["S12000036"], months=1)
    ((code,), before, after) = hit.authorities, *hit.pieces(2)
    platform.stop("orders-worker")
    platform.add("buggy", "orders-worker", sys.executable, "-m", "tests.support.running.unlucky", "bug", code)
    platform.start("buggy")
    hit.post(platform, before)
    until(lambda: is_parked(platform, code, "buggy"), f"{code} is parked")
    hit.post(platform, after)
    other.post(platform, other.deliveries)
    other.wait_until_shown(platform)
    other.assert_counted(platform)
    other.assert_outcomes(platform)
    assert platform.rows("SELECT count(*) FROM orders.arrivals WHERE authority = %s", code) == [(0,)]
    said = platform.log("buggy").read_text()
    assert f"parked {code}" in said
    assert "KeyError at" in said
    assert SECRET not in said

    platform.stop("buggy")  # it was running all the time
    platform.start("orders-worker")
    until(lambda: is_parked(platform, code), f"{code} stays parked: nobody has said that the bug is gone")
    payback(platform, monkeypatch, "retry", code, "--why", "the bug is mended")
    hit.wait_until_shown(platform)
    hit.assert_counted(platform)
    hit.assert_once(platform)
    hit.assert_outcomes(platform)
    until(lambda: not is_parked(platform, code), f"{code} is parked no more")

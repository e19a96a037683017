"""The page for vendors gives the limits of the intake as they are."""

from contracts.decoding.codec import MAX_BYTES
from services.chassis.api.policy import KIB, MIB
from services.records.api.policies import COMMON_POLICIES, MOST_EVENTS, MOST_IN_A_BATCH
from services.records.config.settings import ApiHttpSettings
from services.records.model.limit import MOST_FACTS
from tests.support.source import ROOT

PAGE = ROOT / "docs" / "vendor.md"


def test_limits_are_given_as_they_are() -> None:
    events = COMMON_POLICIES["POST /v1/events"]
    per_minute = ApiHttpSettings(port=1).requests_per_minute
    wanted = (
        f"| one event | {MAX_BYTES // KIB} KiB |",
        f"| a JSON array in one request | {MOST_IN_A_BATCH:,} events, {events.body // MIB} MiB |",
        f"| lines in one request | {MOST_EVENTS:,} events, {events.lines // MIB} MiB |",
        f"| facts of one order | {MOST_FACTS:,} in each topic;",
        f"| requests of one caller to each service | {per_minute:,} a minute,",
    )
    written = PAGE.read_text()
    assert [one for one in wanted if one not in written] == []
    for page in ("authority.md", "reference/refusals.md"):
        assert f"{MOST_FACTS:,} facts" in (PAGE.parent / page).read_text()

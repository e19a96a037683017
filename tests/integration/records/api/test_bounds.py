"""However large refused events are, a page of them is bounded in bytes, and pages together show each once."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import insert

from contracts.decoding.codec import MAX_BYTES
from services.records.api.policies import PAGE_BYTES
from services.records.ingest.tables import rejections
from tests.integration.records.conftest import NOW, Bench
from tests.support.desk import new_client, token

AUTHORITY = "S12000033"
NUMBER = 80


def test_pages_of_large_refusals_end_by_their_bytes(bench: Callable[[str], Bench]) -> None:
    orders = bench("orders")
    with orders.database.begin() as connection:
        connection.execute(insert(rejections), [refused(offset) for offset in range(NUMBER)])
    with new_client(orders.database, orders.domain, "2026-03-02") as client:
        found: list[int] = []
        after: dict[str, Any] = {}
        more = True
        while more:
            answer = client.get(
                "/v1/rejections", params={"limit": 1000, **after}, headers=token(AUTHORITY, "orders:read")
            )
            assert len(answer.content) < PAGE_BYTES + 2 * MAX_BYTES
            page = answer.json()
            found += [one["offset"] for one in page["rejections"]]
            after, more = {"after": page["next"]}, page["next"] is not None
    assert found == list(reversed(range(NUMBER)))


def refused(offset: int) -> dict[str, Any]:
    return {
        "topic": f"orders.events.{AUTHORITY}",
        "partition": 0,
        "offset": offset,
        "authority": AUTHORITY,
        "reason": "too_large",
        "path": "$",
        "message": "more than 65536 bytes",
        "value": b"x" * MAX_BYTES,
        "arrived_at": NOW,
    }

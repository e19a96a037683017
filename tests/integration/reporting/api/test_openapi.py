"""Whatever is asked of the API, its document has said so: schemathesis makes the requests."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from contracts.periods import add_months, month_of
from services.chassis.api.auth import Identity, mint
from services.chassis.clock import FixedClock, system_clock
from services.chassis.database import engine
from services.chassis.metrics import new_registry
from services.chassis.settings import DatabaseSettings, HttpSettings
from services.reporting.app import build
from services.reporting.ingest.fold import Folded, fold
from services.reporting.ingest.store import write
from services.reporting.releases import publication
from services.reporting.settings import SCHEMA, ApiSettings
from tests.integration.reporting.conftest import NOW, position
from tests.support.generated.fuzzing import assert_no_fault_of_ours
from tests.support.generated.openapi import KEYS, MANY, TOKENS, Everybody, asking_as, nowhere, schema_of, validate_each
from tests.support.made.figures import national_cells

LAST_MONTH = add_months(month_of(NOW.date()), -2)

MANAGER = Identity("manager", frozenset({"orders:read"}), "S12000049")
ANALYST = Identity("analyst", frozenset({"national:read"}))


@pytest.fixture(scope="module")
def filled(migrated: Callable[[], str]) -> Iterator[Engine]:
    """Yield a database with three authorities' months, one of them released."""
    url = migrated()
    made = engine(DatabaseSettings(url=url, schema_name=SCHEMA))
    cells = list(national_cells(1, add_months(LAST_MONTH, -2), 3, 3))
    folded: Folded = fold([*cells, *(position(code) for code in sorted({cell.authority for cell in cells}))])
    with made.begin() as connection:
        write(connection, folded)
    clock = FixedClock(NOW)
    publication.publish(made, publication.make(made, LAST_MONTH, NOW.date() - timedelta(days=1), clock), clock)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def everybody(filled: Engine) -> Iterator[Everybody]:
    """Yield the API on these figures, and the headers of each caller."""
    with asking_as(application(filled), (None, MANAGER, ANALYST)) as found:
        yield Everybody(found)


def application(database: Engine) -> FastAPI:
    told = ApiSettings(
        database=nowhere(SCHEMA),
        tokens=TOKENS,
        http=HttpSettings(port=0, requests_per_minute=MANY, public_seconds=MANY),
    )
    return build(told, database, new_registry(), FixedClock(NOW))


def test_the_api_does_what_its_document_says(everybody: Everybody, subtests: pytest.Subtests) -> None:
    # 422: which breakdown an indicator has, and that `from` lies before `to`, a schema cannot say.
    # 406: neither can it say which formats the header `Accept` may name.
    # The stream never ends, and says nothing to those who have heard all: `test_stream` listens to it.
    schema = schema_of(application(engine(nowhere(SCHEMA))), 404, 406, 422).exclude(path="/v1/stream")
    validate_each(schema, everybody, subtests)


def test_nothing_that_is_asked_is_a_fault_of_ours(filled: Engine) -> None:
    """Of the API by a national viewer, whose live figures no release stands before; of the pages by the public."""
    token = mint(KEYS.private, ANALYST, timedelta(hours=1), system_clock)
    headers = {"Authorization": f"Bearer {token}"}
    known = {"/v1/indicators/x": "/v1/indicators/orders_imposed", "/indicators/x": "/indicators/orders_imposed"}
    assert_no_fault_of_ours(application(filled), headers, known)

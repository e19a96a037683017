"""Whatever is asked of the API, its document has said so: schemathesis makes the requests."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, cast

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import settings
from schemathesis.openapi import from_asgi
from schemathesis.python.asgi import ASGIClient, get_client
from sqlalchemy import Engine

from services.chassis.auth import Identity, generate_keys, mint
from services.chassis.clock import FixedClock, system_clock
from services.chassis.database import engine
from services.chassis.metrics import new_registry
from services.chassis.migrations import migrate
from services.chassis.settings import DatabaseSettings, HttpSettings, TokenSettings
from services.reporting import releasing
from services.reporting.app import build
from services.reporting.periods import add_months, month_of
from services.reporting.settings import MIGRATIONS, SCHEMA, ApiSettings
from services.reporting.store import Folded, fold, write
from tests.integration.reporting.conftest import NOW, position
from tests.support.figures import national_cells

KEYS = generate_keys()
EXAMPLES = 4
"""Of each operation and caller, beside the fixed ones."""
LAST_MONTH = add_months(month_of(NOW.date()), -2)

NOWHERE = DatabaseSettings(url="postgresql://nowhere", schema_name=SCHEMA)

CALLERS = {
    "nobody": None,
    "authority": Identity("manager", frozenset({"orders:read"}), "S12000049"),
    "national": Identity("analyst", frozenset({"national:read"})),
}
CONFIG = {
    "checks": {
        # 422: which breakdown an indicator has, and that `from` lies before `to`, a schema cannot say.
        # 406: neither can it say which formats the header `Accept` may name.
        "positive_data_acceptance": {"expected-statuses": ["2xx", "401", "403", "404", "406", "422"]},
    },
}


@pytest.fixture(scope="module")
def filled(new_database: Callable[[], str]) -> Iterator[Engine]:
    """Three authorities' months, one of them released."""
    url = new_database()
    migrate(url, SCHEMA, MIGRATIONS)
    made = engine(DatabaseSettings(url=url, schema_name=SCHEMA))
    cells = list(national_cells(1, add_months(LAST_MONTH, -2), 3, 3))
    folded: Folded = fold([*cells, *(position(code) for code in sorted({cell.authority for cell in cells}))])
    with made.begin() as connection:
        write(connection, folded)
    clock = FixedClock(NOW)
    releasing.publish(made, releasing.make(made, LAST_MONTH, NOW.date(), clock), clock)
    yield made
    made.dispose()


Asked = tuple[ASGIClient, dict[str, str]]


@pytest.fixture(scope="module", params=CALLERS)
def asked(request: pytest.FixtureRequest, filled: Engine) -> Iterator[Asked]:
    """The API on these figures, and the headers of one caller."""
    caller = CALLERS[request.param]
    headers = {}
    if caller is not None:
        headers["Authorization"] = f"Bearer {mint(KEYS.private, caller, timedelta(hours=1), system_clock)}"
    with get_client(cast(Any, application(filled))) as client:
        yield client, headers


def application(database: Engine) -> FastAPI:
    told = ApiSettings(
        database=NOWHERE,
        tokens=TokenSettings(public_key=KEYS.public),
        http=HttpSettings(port=0, requests_per_minute=1_000_000),
    )
    return build(told, database, new_registry(), FixedClock(NOW))


# The stream never ends, and says nothing to those who have heard all: `test_stream` listens to it.
schema = from_asgi("/openapi.json", application(engine(NOWHERE)), config=schemathesis.Config.from_dict(CONFIG)).exclude(
    path="/v1/stream"
)


@schema.parametrize()
@settings(max_examples=EXAMPLES)
def test_the_api_does_what_its_document_says(case: schemathesis.Case[Any], asked: Asked) -> None:
    client, headers = asked
    case.call_and_validate(session=client, headers=headers)

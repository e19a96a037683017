"""No time for an authority that was never heard from."""

from importlib.resources import files

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
contracts = "an authority may be there before it was heard"


def upgrade() -> None:
    op.execute((files("services.records") / "migrations" / "0010.sql").read_text())

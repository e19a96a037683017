"""Publications, apart from counting; and the last record that was accepted."""

from importlib.resources import files

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
contracts = "what was published stands in a table of its own"


def upgrade() -> None:
    op.execute((files("services.records") / "migrations" / "0009.sql").read_text())

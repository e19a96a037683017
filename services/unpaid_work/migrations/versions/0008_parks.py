"""Parking of one authority while the others go on; impossible times of messages; corrected refusals; numbers used twice."""

from importlib.resources import files

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute((files("services.records") / "migrations" / "0008.sql").read_text())

"""Refused events beyond what is kept of a day are counted."""

from importlib.resources import files

from alembic import op

from services.records.ingest.guarding.walls import build

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute((files("services.records") / "migrations" / "0022.sql").read_text())
    build(op.get_bind())

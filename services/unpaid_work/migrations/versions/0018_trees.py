"""Signed trees of accepted events."""

from importlib.resources import files

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute((files("services.records") / "migrations" / "0018.sql").read_text())

"""Decisions of managers."""

from importlib.resources import files

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute((files("services.records") / "migrations" / "0012.sql").read_text())

"""Receivers of refusals and findings."""

from importlib.resources import files

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute((files("services.records") / "migrations" / "0017.sql").read_text())

"""The authority that was asked to take an order over."""

from importlib.resources import files

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute((files("services.records") / "migrations" / "0004.sql").read_text())

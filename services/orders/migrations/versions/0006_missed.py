"""Indexes to find the latest orders that missed a standard, however rarely it is missed, and the duties of open orders."""

from importlib.resources import files

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for package in ("services.records", "services.orders"):
        op.execute((files(package) / "migrations" / "0006.sql").read_text())

"""The orders of each person, to count people by how many they have."""

from importlib.resources import files

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
contracts = "persons are kept by their orders, not by month, and are counted again"


def upgrade() -> None:
    op.execute((files("services.records") / "migrations" / "0007.sql").read_text())

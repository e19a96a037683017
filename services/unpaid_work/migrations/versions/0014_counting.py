"""The periods in which an order counts."""

from importlib.resources import files

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute((files("services.records") / "migrations" / "0014.sql").read_text())

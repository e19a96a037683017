"""The operators who had refused events sent again, with their reasons."""

from importlib.resources import files

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute((files("services.records") / "migrations" / "0011.sql").read_text())

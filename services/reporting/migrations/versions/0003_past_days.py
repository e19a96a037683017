"""Past days are read from an index alone: a row lies on a page of its own, and there are thousands to an answer."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP INDEX cells_by_measure")
    op.execute(
        "CREATE INDEX cells_by_measure ON cells (measure, category, period) "
        "INCLUDE (service, authority, generation, known_on, value)"
    )

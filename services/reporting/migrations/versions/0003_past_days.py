"""An index from which past days are read alone: each row is on a page of its own, and an answer needs thousands."""

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

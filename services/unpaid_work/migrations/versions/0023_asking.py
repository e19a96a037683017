"""An index to find the latest requests of one authority to another, however many a third one has made."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS records_asking")  # left where building it was broken off
        op.execute(
            "CREATE INDEX CONCURRENTLY records_asking ON records (asked_of, authority, asked_on) WHERE asked_of IS NOT NULL"
        )

"""Seals of messages that were put aside, so that they are not accepted by mistake when they are tried again."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE put_aside ADD COLUMN seal BYTEA")

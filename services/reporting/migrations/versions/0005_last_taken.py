"""The fingerprint of the last record, so that a log that went back is noticed."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE checkpoints ADD COLUMN last_timestamp BIGINT, ADD COLUMN last_checksum BIGINT")

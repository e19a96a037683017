"""What is put aside keeps its seal, so that it is not believed by mistake when it is tried again."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE put_aside ADD COLUMN seal BYTEA")

"""APIs and workers sign in as roles of their own, which own nothing."""

from alembic import op

from services.records.ingest.guarding.walls import build

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    build(op.get_bind())

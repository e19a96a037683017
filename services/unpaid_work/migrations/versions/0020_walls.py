"""Walls between authorities, and the roles that APIs work in."""

from alembic import op

from services.records.ingest.guarding.walls import build

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    build(op.get_bind())

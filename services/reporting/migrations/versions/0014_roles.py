"""API and worker sign in as roles of their own, which own nothing."""

from alembic import op

from services.reporting.ingest.roles import build

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    build(op.get_bind())

"""The audit, in a schema of its own."""

from alembic import op

from services.chassis.audit.schema import prepare
from services.records.ingest.migrations import move_redrives

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None
contracts = "what was sent through again stands in the audit"


def upgrade() -> None:
    prepare(op.get_bind())
    move_redrives(op.get_bind())

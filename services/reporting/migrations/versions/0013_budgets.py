"""The budgets of callers, shared by the processes of the API."""

from alembic import op

from services.chassis.guarding.budgets import TABLE

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(TABLE)

"""The numbers of rows that a service held when it published a position, to find whether any are missing here; and proofs."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE positions ADD rows_held bigint, ADD versions_held numeric")
    op.execute(
        "CREATE TABLE proofs (service text, authority text, proved_at timestamptz NOT NULL, "
        "events bigint NOT NULL, mismatches integer NOT NULL, PRIMARY KEY (service, authority))"
    )

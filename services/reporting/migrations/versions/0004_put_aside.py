"""Aggregates that could not be read are kept, and the others are processed."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE put_aside ("
        'topic TEXT NOT NULL, partition INTEGER NOT NULL, "offset" BIGINT NOT NULL, key BYTEA, value BYTEA, '
        'fault TEXT NOT NULL, at TIMESTAMP WITH TIME ZONE NOT NULL, PRIMARY KEY (topic, partition, "offset"))'
    )
    op.execute(
        "COMMENT ON TABLE put_aside IS "
        "'Aggregates that this version could not read or store. Tried again at every start.'"
    )

"""A cell that moved for several reasons has a row for each."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
contracts = "a change of a release is kept for each cause"

_STATEMENTS = """
ALTER TABLE release_changes ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
ALTER TABLE release_changes ALTER COLUMN place DROP DEFAULT;
ALTER TABLE release_changes DROP CONSTRAINT release_changes_pkey;
ALTER TABLE release_changes ADD PRIMARY KEY (release, measure, category, period, authority, place);
COMMENT ON TABLE release_changes IS 'Cells that moved since the release before; one row for each cause, in their order.'
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";\n"):
        op.execute(statement)

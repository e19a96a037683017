"""Sessions of people who are signed in to pages."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_STATEMENTS = """
CREATE TABLE sessions (
    handle TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    site TEXT NOT NULL,
    browser TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    began_at TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX ix_sessions_account ON sessions (account);

COMMENT ON TABLE sessions IS 'Who is signed in to pages, of the desk too. A session that ended is not there.';
"""


def upgrade() -> None:
    op.execute(_STATEMENTS)

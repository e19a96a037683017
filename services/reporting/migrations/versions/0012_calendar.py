"""The calendar of releases, notices, and who did what: only ever added to.

A release that is held for its day remains a draft, so that a process of the previous version shows it to nobody either.
"""

from alembic import op

from services.chassis.audit.schema import prepare

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_STATEMENTS = """
ALTER TABLE releases ADD COLUMN held_at TIMESTAMPTZ;
CREATE UNIQUE INDEX one_release_held ON releases ((true)) WHERE held_at IS NOT NULL AND status = 'draft';

CREATE TABLE announcements (
    month DATE NOT NULL,
    number INTEGER NOT NULL,
    day DATE,
    at TIMESTAMPTZ NOT NULL,
    reason TEXT NOT NULL,
    who TEXT NOT NULL,
    PRIMARY KEY (month, number)
);
COMMENT ON TABLE announcements IS
    'On which day the figures up to a month will be released, as it was said each time; no day where it was called off.';

CREATE TABLE release_notices (
    release TEXT NOT NULL REFERENCES releases (id),
    number INTEGER NOT NULL,
    at TIMESTAMPTZ NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    who TEXT NOT NULL,
    successor TEXT REFERENCES releases (id),
    PRIMARY KEY (release, number)
);
CREATE INDEX ix_release_notices_successor ON release_notices (successor);
COMMENT ON TABLE release_notices IS 'What readers of a release must know, in the order in which it was said.';

INSERT INTO release_notices (release, number, at, kind, reason, who)
SELECT id, 1, coalesce(withdrawn_at, published_at, made_at), CASE WHEN status = 'withdrawn' THEN 'withdrawal' ELSE 'note' END,
    note, 'not known'
FROM releases WHERE note IS NOT NULL AND note <> '';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '% is only ever added to', TG_TABLE_NAME; END $$;
CREATE TRIGGER only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON announcements EXECUTE FUNCTION refuse_change();
CREATE TRIGGER only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON release_notices EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    op.execute(_STATEMENTS)
    prepare(op.get_bind())

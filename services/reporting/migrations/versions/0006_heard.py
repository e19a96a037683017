"""No time for an authority that was never heard from; and in releases, from which month to which day each was heard from."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
contracts = "an authority may be there before it was heard"

_POSITIONS = """
UPDATE positions p SET heard_at = NULL WHERE NOT EXISTS (
    SELECT FROM present c WHERE c.service = p.service AND c.authority = p.authority AND c.measure = 'events'
    AND c.category IN ('outcome=applied', 'outcome=superseded', 'outcome=duplicate') AND c.value > 0
)
"""
_RELEASES = """
UPDATE releases r SET heard = (
    SELECT coalesce(jsonb_object_agg(a.authority, a.services), '{}') FROM (
        SELECT s.authority, jsonb_object_agg(s.service, jsonb_build_array(s.first, s.last)) AS services FROM (
            SELECT c.service, c.authority, date_trunc('month', min(c.period))::date AS first, max(c.known_on) AS last
            FROM cells c JOIN positions p USING (service, authority, generation)
            WHERE c.measure = 'events' AND c.category IN ('outcome=applied', 'outcome=superseded', 'outcome=duplicate')
            AND c.value > 0 AND c.known_on <= r.known_on GROUP BY 1, 2
        ) s GROUP BY 1
    ) a
)
"""


def upgrade() -> None:
    op.execute("ALTER TABLE positions ALTER COLUMN heard_at DROP NOT NULL")
    op.execute(_POSITIONS)
    op.execute(_RELEASES)

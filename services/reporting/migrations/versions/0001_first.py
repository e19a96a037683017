"""The first tables."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_STATEMENTS = """
CREATE TABLE cells (
    service TEXT NOT NULL,
    authority TEXT NOT NULL,
    generation INTEGER NOT NULL,
    measure TEXT NOT NULL,
    category TEXT NOT NULL,
    period DATE NOT NULL,
    known_on DATE NOT NULL,
    version BIGINT NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (service, authority, generation, measure, category, period, known_on)
);

CREATE INDEX cells_by_measure ON cells (measure, category, period);

COMMENT ON TABLE cells IS 'Every row published, of the visible generation and of one being rebuilt.';

CREATE TABLE checkpoints (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next_offset BIGINT NOT NULL,
    cluster_id TEXT NOT NULL,
    topic_id TEXT NOT NULL,
    PRIMARY KEY (topic, partition)
);

COMMENT ON TABLE checkpoints IS 'How far the aggregates were read; compare-and-set, in the transaction of what was read.';

CREATE TABLE positions (
    service TEXT NOT NULL,
    authority TEXT NOT NULL,
    generation INTEGER NOT NULL,
    version BIGINT NOT NULL,
    offsets JSONB NOT NULL,
    heard_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (service, authority)
);

COMMENT ON TABLE positions IS 'What is visible of each service and authority: rows of this generation, and which offsets they show.';

CREATE TABLE present (
    measure TEXT NOT NULL,
    authority TEXT NOT NULL,
    period DATE NOT NULL,
    category TEXT NOT NULL,
    service TEXT NOT NULL,
    known_on DATE NOT NULL,
    version BIGINT NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (measure, authority, period, category, service)
);

CREATE INDEX present_by_category ON present (measure, category, period) INCLUDE (authority, value);

COMMENT ON TABLE present IS 'The latest value of each cell: derived from `cells`, so that reading costs the same after ten years.';

CREATE TABLE releases (
    id TEXT NOT NULL,
    status TEXT NOT NULL,
    last_month DATE NOT NULL,
    known_on DATE NOT NULL,
    content_hash TEXT NOT NULL,
    definitions JSONB NOT NULL,
    heard JSONB NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE,
    withdrawn_at TIMESTAMP WITH TIME ZONE,
    note TEXT,
    PRIMARY KEY (id)
);

COMMENT ON TABLE releases IS 'Frozen cuts. Only the status and its dates ever change.';

CREATE TABLE release_cells (
    release TEXT NOT NULL,
    measure TEXT NOT NULL,
    category TEXT NOT NULL,
    period DATE NOT NULL,
    authority TEXT NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (release, measure, category, period, authority),
    FOREIGN KEY(release) REFERENCES releases (id) ON DELETE CASCADE
);

COMMENT ON TABLE release_cells IS 'The whole cells of a release. What the public may not see of them is in `release_hidden`.';

CREATE TABLE release_changes (
    release TEXT NOT NULL,
    measure TEXT NOT NULL,
    category TEXT NOT NULL,
    period DATE NOT NULL,
    authority TEXT NOT NULL,
    before BIGINT NOT NULL,
    after BIGINT NOT NULL,
    why TEXT NOT NULL,
    PRIMARY KEY (release, measure, category, period, authority),
    FOREIGN KEY(release) REFERENCES releases (id) ON DELETE CASCADE
);

COMMENT ON TABLE release_changes IS 'Cells that moved since the release before.';

CREATE TABLE release_hidden (
    release TEXT NOT NULL,
    measure TEXT NOT NULL,
    grouping TEXT NOT NULL,
    period TEXT NOT NULL,
    area TEXT NOT NULL,
    PRIMARY KEY (release, measure, grouping, period, area),
    FOREIGN KEY(release) REFERENCES releases (id) ON DELETE CASCADE
);

COMMENT ON TABLE release_hidden IS 'The numbers of a release that the public does not see.'
"""


def upgrade() -> None:
    for statement in _STATEMENTS.split(";\n"):
        op.execute(statement)

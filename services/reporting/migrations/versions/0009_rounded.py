"""Rounded cells of a release for the public, in place of suppression.

Earlier releases were protected in another way, and cannot be shown beside rounded ones: they are withdrawn, and stay listed.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None
contracts = "public figures are rounded, so that none is hidden: earlier releases are withdrawn"

WITHDRAWN = """
UPDATE releases SET status = 'withdrawn', withdrawn_at = now(), note = 'Withdrawn when figures began to be rounded; make it again'
WHERE status = 'published'
"""


def upgrade() -> None:
    op.execute("DELETE FROM releases WHERE status = 'draft'")
    op.execute(WITHDRAWN)
    op.execute("UPDATE releases SET definitions = definitions - 'forms' || jsonb_build_object('public', '[]'::jsonb)")
    op.drop_table("release_hidden")
    op.add_column("releases", sa.Column("whole_hash", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "public_cells",
        sa.Column("release", sa.Text, sa.ForeignKey("releases.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("measure", sa.Text, primary_key=True),
        sa.Column("category", sa.Text, primary_key=True),
        sa.Column("period", sa.Date, primary_key=True),
        sa.Column("authority", sa.Text, primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
        comment="The cells of a release as the public gets them, rounded.",
    )
    op.create_table(
        "rounding_key",
        sa.Column("key", BYTEA, primary_key=True),
        comment=(
            "One row: the secret that decides which way a cell is rounded. "
            "Whoever knows it learns more than is published."
        ),
    )
    op.execute("DELETE FROM release_changes")

"""The day up to which each topic of an authority is known."""

from importlib.resources import files

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
contracts = "a shard tells the day of each of its topics, in place of one for all"


def upgrade() -> None:
    op.execute((files("services.records") / "migrations" / "0003.sql").read_text())

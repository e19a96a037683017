"""The Alembic environment of every service's migrations. Alembic executes it; services.chassis.migrations starts it."""  # noqa: INP001

from alembic import context
from sqlalchemy import Connection

connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    version_table_schema=context.config.attributes["schema"],
    # Each migration has its own transaction, which it may leave (autocommit_block) to build an index concurrently.
    transaction_per_migration=True,
    on_version_apply=context.config.attributes["applied"],
)
with context.begin_transaction():
    context.run_migrations()

"""Alembic's entry. Runs in the transaction that minleaf_server/db/migrate.py hands over."""

from alembic import context

attributes = context.config.attributes
context.configure(connection=attributes["connection"], version_table=attributes["version_table"])
with context.begin_transaction():
    context.run_migrations()

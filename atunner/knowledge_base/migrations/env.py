"""Run by Alembic on the connection that it is handed; it opens none and commits nothing by itself."""

from alembic import context

from atunner.knowledge_base.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()

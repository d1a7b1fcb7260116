"""Runs the migrations; `blog db upgrade` passes an open connection."""

from alembic import context

from blog.schema import described, metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
    include_object=described,
)
with context.begin_transaction():
    context.run_migrations()

"""The articles of a series, which each of its pages lists."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            # What a cut-off attempt leaves.
            op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_articles_series")
            op.create_index("ix_articles_series", "articles", ["series"], postgresql_concurrently=True)
    else:
        op.create_index("ix_articles_series", "articles", ["series"])


def downgrade() -> None:
    op.drop_index("ix_articles_series", "articles")

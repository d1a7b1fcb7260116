"""The few articles that readers cannot see: a search counts what it found without them."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

COLUMNS = ["id", "status", "live_at", "removed_at"]
WITHHELD = sa.text("status <> 'published' OR live_at IS NULL OR removed_at IS NOT NULL")
EXPIRING = sa.text("expires_at IS NOT NULL")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            # What a cut-off attempt leaves.
            op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_articles_withheld")
            op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_articles_expires_at")
            op.create_index(
                "ix_articles_withheld",
                "articles",
                COLUMNS,
                postgresql_where=WITHHELD,
                postgresql_concurrently=True,
            )
            op.create_index(
                "ix_articles_expires_at",
                "articles",
                ["expires_at"],
                postgresql_where=EXPIRING,
                postgresql_concurrently=True,
            )
    else:
        op.create_index("ix_articles_withheld", "articles", COLUMNS, sqlite_where=WITHHELD)
        op.create_index("ix_articles_expires_at", "articles", ["expires_at"], sqlite_where=EXPIRING)


def downgrade() -> None:
    op.drop_index("ix_articles_expires_at", "articles")
    op.drop_index("ix_articles_withheld", "articles")

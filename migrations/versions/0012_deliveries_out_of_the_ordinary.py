"""The few deliveries that are neither waiting for their first try, nor in hand, nor accepted."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

COLUMNS = ["mailing_id", "recipient_id", "state"]
WHERE = sa.text("state IN ('deferred', 'skipped', 'bounced', 'failed', 'uncertain')")


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            # What a cut-off attempt leaves.
            op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_deliveries_unusual")
            op.create_index(
                "ix_deliveries_unusual",
                "deliveries",
                COLUMNS,
                postgresql_where=WHERE,
                postgresql_concurrently=True,
            )
    else:
        op.create_index("ix_deliveries_unusual", "deliveries", COLUMNS, sqlite_where=WHERE)


def downgrade() -> None:
    op.drop_index("ix_deliveries_unusual", "deliveries")

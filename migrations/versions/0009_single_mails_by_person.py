"""Who a single mail is about, so that forgetting somebody does not read every mail there was."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        with op.get_context().autocommit_block():
            # What a cut-off attempt leaves.
            op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_outbox_subject_id")
            op.create_index("ix_outbox_subject_id", "outbox", ["subject_id"], postgresql_concurrently=True)
    else:
        op.create_index("ix_outbox_subject_id", "outbox", ["subject_id"])


def downgrade() -> None:
    op.drop_index("ix_outbox_subject_id", "outbox")

"""The last issue each recipient had, so that planning need not ask everything that was ever sent."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "last_issues",
        sa.Column("recipient_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("issue_id", BIG_ID, nullable=False),
        sa.PrimaryKeyConstraint("recipient_id", name="pk_last_issues"),
        # Every row changes with every issue: so it finds room beside the old one, and the key stays as it is.
        postgresql_with={"fillfactor": 45},
    )
    op.create_table(
        "put_away",
        sa.Column("issue_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_to", BIG_ID, nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name="fk_put_away_issue_id_issues"),
        sa.PrimaryKeyConstraint("issue_id", name="pk_put_away"),
    )


def downgrade() -> None:
    op.drop_table("put_away")
    op.drop_table("last_issues")

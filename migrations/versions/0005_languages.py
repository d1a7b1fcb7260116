"""Issues that speak to each reader in the language of their own choice."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

PLACE = ["issue_id", "topics", "last_issue"]


def _language() -> sa.Column[str]:
    """Empty stands for the site's language, which is what the code of before writes for everybody."""
    return sa.Column("language", sa.String(length=35), server_default="", nullable=False)


def upgrade() -> None:
    op.add_column("issues", _language())
    op.add_column("editions", _language())
    # A plan lives for seconds, and no other table points at its rows: copying the table costs nothing.
    with op.batch_alter_table("plan_groups") as table:
        table.add_column(_language())
        table.drop_constraint("pk_plan_groups", type_="primary")
        table.create_primary_key("pk_plan_groups", [*PLACE, "language"])


def downgrade() -> None:
    # The code of before keeps one group for a place; what it does not find there waits for the next issue.
    op.execute("DELETE FROM plan_groups WHERE language <> ''")
    with op.batch_alter_table("plan_groups") as table:
        table.drop_constraint("pk_plan_groups", type_="primary")
        table.create_primary_key("pk_plan_groups", PLACE)
        table.drop_column("language")
    op.drop_column("editions", "language")
    op.drop_column("issues", "language")

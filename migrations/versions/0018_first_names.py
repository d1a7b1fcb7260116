"""What feeds called an article before its address or its year changed: a reader must not see it as new."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "first_names",
        sa.Column("article_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(220), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["articles.id"], name="fk_first_names_article_id_articles", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", name="pk_first_names"),
        sa.UniqueConstraint("slug", "year", name="uq_first_names_slug_year"),
    )


def downgrade() -> None:
    op.drop_table("first_names")

"""On PostgreSQL the pictures of a text's pairs lie by themselves, so that looking through the texts is quick.

A search visits the row of every text that has its words: without picture and keys sixteen times as many rows
are in a page. The old column stays until no code uses it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "search_pairs",
        sa.Column("article_id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("keys", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["search_texts.article_id"],
            name="fk_search_pairs_article_id_search_texts",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("article_id", name="pk_search_pairs"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE search_texts ALTER keys SET STORAGE EXTERNAL")
        op.execute("ALTER TABLE search_texts SET (toast_tuple_target = 128)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE search_texts SET (toast_tuple_target = 4080)")
        op.execute("ALTER TABLE search_texts ALTER keys SET STORAGE EXTENDED")
    op.drop_table("search_pairs")

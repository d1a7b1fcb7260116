"""Full-text search: folded texts, the index over them, and the words they are made of."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Texts arrive folded and cut into words (`blog.articles.folding`): both databases see the same words.
# FTS5's `ascii` tokenizer and PostgreSQL's arrays take them as they are, whatever the script or the locale.
COLUMNS = ("title", "keys", "body")
NAMES = ", ".join(COLUMNS)
_OLD = ", ".join(f"old.{name}" for name in COLUMNS)
_NEW = ", ".join(f"new.{name}" for name in COLUMNS)
_TAKE = f"INSERT INTO search_index(search_index, rowid, {NAMES}) VALUES ('delete', old.article_id, {_OLD});"  # noqa: S608 - names of our own
_ADD = f"INSERT INTO search_index(rowid, {NAMES}) VALUES (new.article_id, {_NEW});"  # noqa: S608

INDEX = {
    "sqlite": [
        f"CREATE VIRTUAL TABLE search_index USING fts5({NAMES}, content='search_texts', "
        "content_rowid='article_id', columnsize=0, tokenize='ascii')",
        f"CREATE TRIGGER search_texts_added AFTER INSERT ON search_texts BEGIN {_ADD} END",
        f"CREATE TRIGGER search_texts_taken AFTER DELETE ON search_texts BEGIN {_TAKE} END",
        f"CREATE TRIGGER search_texts_changed AFTER UPDATE ON search_texts BEGIN {_TAKE} {_ADD} END",
    ],
    "postgresql": [
        f"CREATE INDEX gin_search_texts_{name} ON search_texts "
        f"USING gin (array_to_tsvector(string_to_array({name}, ' '))) WITH (gin_pending_list_limit = 65536)"
        for name in COLUMNS
    ],
}


def upgrade() -> None:
    # The tables stay empty here: the next sync fills them, and older code never writes them.
    op.create_table(
        "search_texts",
        sa.Column("article_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("made_from", sa.String(length=80), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("keys", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"],
            ["articles.id"],
            name=op.f("fk_search_texts_article_id_articles"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_search_texts")),
    )
    op.create_table(
        "search_words",
        sa.Column("word", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("articles", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_search_words")),
    )
    op.create_index(
        "ix_articles_live",
        "articles",
        ["id", "status", "published_at", "live_at", "expires_at", "removed_at"],
    )
    for statement in INDEX[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_index")
    op.drop_index("ix_articles_live", "articles")
    op.drop_table("search_words")
    op.drop_table("search_texts")

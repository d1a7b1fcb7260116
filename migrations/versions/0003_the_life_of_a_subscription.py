"""The life of a subscription: pauses, changes of address, single-use links, counts of sign-ups."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    # Adding a nullable column rewrites nothing, so the code of before goes on serving meanwhile.
    op.add_column("subscribers", sa.Column("paused_until", MOMENT, nullable=True))
    op.add_column("subscribers", sa.Column("reminded_at", MOMENT, nullable=True))
    op.add_column("subscribers", sa.Column("account_nonce", sa.String(length=32), nullable=True))
    op.create_table(
        "address_changes",
        sa.Column("id", BIG, nullable=False),
        sa.Column("subscriber_id", BIG, nullable=False),
        sa.Column("nonce", sa.String(length=32), nullable=False),
        sa.Column("old_address", sa.String(length=320), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("address", sa.String(length=320), nullable=False),
        sa.Column("address_key", sa.String(length=320), nullable=False),
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("confirmed_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name=op.f("fk_address_changes_subscriber_id_subscribers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_changes")),
    )
    op.create_index(op.f("ix_address_changes_subscriber_id"), "address_changes", ["subscriber_id"])
    op.create_table(
        "signup_counts",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("span", MOMENT, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", "span", name=op.f("pk_signup_counts")),
    )
    op.create_index(op.f("ix_signup_counts_span"), "signup_counts", ["span"])


def downgrade() -> None:
    op.drop_table("signup_counts")
    op.drop_table("address_changes")
    with op.batch_alter_table("subscribers", schema=None) as batch_op:
        batch_op.drop_column("account_nonce")
        batch_op.drop_column("reminded_at")
        batch_op.drop_column("paused_until")

"""Issues that wait for approval, and what happened to a mailing and its deliveries on the way."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    # The code of before writes issues that are open from the start, which is what the default says.
    op.add_column(
        "issues", sa.Column("in_review", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.add_column("issues", sa.Column("opened_at", MOMENT, nullable=True))
    op.create_table(
        "delivery_events",
        sa.Column("id", BIG, nullable=False),
        sa.Column("mailing_id", BIG, nullable=False),
        sa.Column("delivery_id", BIG, nullable=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailings.id"], name=op.f("fk_delivery_events_mailing_id_mailings")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_events")),
    )
    op.create_index(op.f("ix_delivery_events_mailing_id"), "delivery_events", ["mailing_id", "delivery_id"])


def downgrade() -> None:
    op.drop_table("delivery_events")
    with op.batch_alter_table("issues", schema=None) as batch_op:
        batch_op.drop_column("opened_at")
        batch_op.drop_column("in_review")

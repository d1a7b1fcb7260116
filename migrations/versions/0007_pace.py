"""How fast mail may go to each place, and how each mailing does."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "paces",
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("planned_to", MOMENT, nullable=True),
        sa.Column("per_second", sa.Float(), nullable=True),
        sa.Column("blocked_until", MOMENT, nullable=True),
        sa.Column("refusals", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("refused_since", MOMENT, nullable=True),
        sa.Column("words", sa.String(length=500), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("place", name=op.f("pk_paces")),
    )
    op.create_table(
        "mailing_health",
        sa.Column("mailing_id", BIG, autoincrement=False, nullable=False),
        sa.Column("bounced", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("complained", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("settled_before", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("look_at", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("canary_to", BIG, nullable=True),
        sa.Column("canary_since", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["mailing_id"], ["mailings.id"], name=op.f("fk_mailing_health_mailing_id_mailings")
        ),
        sa.PrimaryKeyConstraint("mailing_id", name=op.f("pk_mailing_health")),
    )


def downgrade() -> None:
    op.drop_table("mailing_health")
    op.drop_table("paces")

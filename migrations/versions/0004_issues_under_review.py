"""Issues that wait for approval, that are planned piece by piece, and what happens to them on their way."""

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
    op.add_column("issues", sa.Column("note", sa.String(length=500), nullable=True))
    op.add_column("mailings", sa.Column("first_to", BIG, nullable=True))
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
    op.create_table(
        "editions",
        sa.Column("variant_id", BIG, nullable=False),
        sa.Column("articles", sa.JSON(), nullable=False),
        sa.Column("more", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variants.id"], name=op.f("fk_editions_variant_id_variants")
        ),
        sa.PrimaryKeyConstraint("variant_id", name=op.f("pk_editions")),
    )
    op.create_table(
        "plans",
        sa.Column("issue_id", BIG, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("review", sa.Boolean(), nullable=False),
        sa.Column("done_to", BIG, nullable=False),
        sa.Column("last_id", BIG, nullable=False),
        sa.Column("eligible", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_plans_issue_id_issues")),
        sa.PrimaryKeyConstraint("issue_id", name=op.f("pk_plans")),
    )
    op.create_table(
        "plan_groups",
        sa.Column("issue_id", BIG, nullable=False),
        sa.Column("topics", sa.String(length=2000), nullable=False),
        sa.Column("last_issue", BIG, nullable=False),
        sa.Column("variant_id", BIG, nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_plan_groups_issue_id_issues")),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variants.id"], name=op.f("fk_plan_groups_variant_id_variants")
        ),
        sa.PrimaryKeyConstraint("issue_id", "topics", "last_issue", name=op.f("pk_plan_groups")),
    )
    op.create_table(
        "plan_zones",
        sa.Column("issue_id", BIG, nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_plan_zones_issue_id_issues")),
        sa.PrimaryKeyConstraint("issue_id", "timezone", name=op.f("pk_plan_zones")),
    )
    op.create_table(
        "replacements",
        sa.Column("variant_id", BIG, nullable=False),
        sa.Column("by_id", BIG, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["variant_id"], ["variants.id"], name=op.f("fk_replacements_variant_id_variants")
        ),
        sa.ForeignKeyConstraint(["by_id"], ["variants.id"], name=op.f("fk_replacements_by_id_variants")),
        sa.PrimaryKeyConstraint("variant_id", name=op.f("pk_replacements")),
    )
    op.create_table(
        "corrections",
        sa.Column("id", BIG, nullable=False),
        sa.Column("issue_id", BIG, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("web_html", sa.Text(), nullable=False),
        sa.Column("erratum_id", BIG, nullable=True),
        sa.ForeignKeyConstraint(["issue_id"], ["issues.id"], name=op.f("fk_corrections_issue_id_issues")),
        sa.ForeignKeyConstraint(
            ["erratum_id"], ["mailings.id"], name=op.f("fk_corrections_erratum_id_mailings")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_corrections")),
    )
    op.create_index(op.f("ix_corrections_issue_id"), "corrections", ["issue_id"])


def downgrade() -> None:
    op.drop_table("corrections")
    op.drop_table("replacements")
    op.drop_table("plan_zones")
    op.drop_table("plan_groups")
    op.drop_table("plans")
    op.drop_table("editions")
    op.drop_table("delivery_events")
    # Not by copying the table, which SQLite refuses while rows of others point at it.
    for table, column in (
        ("mailings", "first_to"),
        ("issues", "note"),
        ("issues", "opened_at"),
        ("issues", "in_review"),
    ):
        op.drop_column(table, column)

"""How many deliveries of a mailing are in which state, kept by PostgreSQL itself: see decision 0008.

By a trigger, and no statement of ours: the code of before, while it still works, keeps the numbers right too.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: All but the usual way of a message: what is in hand is read itself, and the rest was accepted.
UNUSUAL = "'deferred', 'skipped', 'bounced', 'failed', 'uncertain'"
KEPT = f"('planned', {UNUSUAL})"
INTO = "INSERT INTO tallies (mailing_id, state, part, number)"

KEEPING = [
    # A row for each connection: nobody waits for another's, so no two can be in each other's way.
    "CREATE FUNCTION tally() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    f"{INTO} SELECT mailing_id, state, pg_backend_pid(), sum(one) FROM ("
    f"SELECT mailing_id, state, -1 AS one FROM gone WHERE state IN {KEPT} "
    f"UNION ALL SELECT mailing_id, state, 1 FROM come WHERE state IN {KEPT}) AS moved "
    "GROUP BY mailing_id, state HAVING sum(one) <> 0 "
    "ON CONFLICT (mailing_id, state, part) DO UPDATE SET number = tallies.number + excluded.number; "
    "RETURN NULL; END $$",
    "CREATE TRIGGER tally AFTER UPDATE ON deliveries REFERENCING OLD TABLE AS gone NEW TABLE AS come "
    "FOR EACH STATEMENT EXECUTE FUNCTION tally()",
]

_MINE = "SELECT count(*) FROM deliveries WHERE mailing_id = mailings.id"
#: After the trigger, which keeps writers out until the end: nothing moves between the two.
BEGINNINGS = [
    f"{INTO} SELECT mailing_id, state, 0, count(*) FROM deliveries "
    f"WHERE state IN ({UNUSUAL}) GROUP BY mailing_id, state",
    # Of those that wait for their first try: how many of all that were planned do so no more.
    f"{INTO} SELECT id, 'planned', 0, waiting - recipients FROM ("
    f"SELECT id, coalesce(recipients, ({_MINE})) AS recipients, "
    f"({_MINE} AND state IN ('planned', 'deferred') AND state = 'planned') AS waiting FROM mailings"
    ") AS each_one WHERE waiting <> recipients",
]


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column("mailing_id", BIG_ID, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("mailing_id", "state", "part", name="pk_tallies"),
        # Each row changes with each claim: so it finds room beside the old one.
        postgresql_with={"fillfactor": 25},
    )
    if op.get_bind().dialect.name == "postgresql":
        for statement in KEEPING + BEGINNINGS:
            op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER tally ON deliveries")
        op.execute("DROP FUNCTION tally()")
    op.drop_table("tallies")

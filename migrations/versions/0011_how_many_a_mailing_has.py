"""How many deliveries a mailing has, so that nobody has to count them: see `blog/delivery/balance.py`."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mailings", sa.Column("recipients", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("mailings", "recipients")

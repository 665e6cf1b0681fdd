"""How far a running job is.

What each column is for: sudonglian.records.tables. A migration is never changed once it is released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column; what ran before is not known to be anywhere."""
    op.add_column("jobs", sa.Column("progress", sa.LargeBinary(), nullable=True, comment="JSON, while it runs"))

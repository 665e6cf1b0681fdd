"""A firm finds its own events without a walk over everybody's.

What each column is for: sudonglian.records.tables. A migration is never changed once it is released.
"""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Index the records by who submitted them, in the order in which they were taken."""
    op.create_index("ix_records_submitter", "records", ["submitter", "id"])

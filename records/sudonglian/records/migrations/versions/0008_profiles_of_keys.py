"""A key may have the profile that its firm's captures are judged by; a firm's own master data are found.

What each column is for: sudonglian.records.tables. A migration is never changed once it is released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the profile of a key, and index master data by who said them."""
    op.add_column(
        "api_keys",
        sa.Column("profile", sa.Text(), nullable=True, comment="what its captures are judged by; null for none"),
    )
    op.create_index("ix_master_data_submitter", "master_data", ["submitter", "id"])

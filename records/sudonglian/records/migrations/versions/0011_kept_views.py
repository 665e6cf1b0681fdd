"""What traces have read of sealed records is kept.

What each column is for: sudonglian.records.tables. A migration is never changed once it is released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0008"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "kept_views",
        sa.Column(
            "start",
            sa.BigInteger(),
            autoincrement=False,
            nullable=False,
            comment="log index of the first entry covered",
        ),
        sa.Column("end", sa.BigInteger(), nullable=False, comment="log index after the last one"),
        sa.Column("root", sa.LargeBinary(32), nullable=False, comment="of the log at that size"),
        sa.Column("version", sa.Text(), nullable=False, comment="of the program that wrote it"),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="events as a trace sees them, compressed"),
        sa.Column("mac", sa.LargeBinary(32), nullable=False, comment="over all of it"),
        sa.PrimaryKeyConstraint("start", name=op.f("pk_kept_views")),
        comment="What a trace has read of sealed records: derivable, thrown away at will (docs/decisions/0352).",
    )

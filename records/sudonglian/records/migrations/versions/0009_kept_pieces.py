"""What traces have read of sealed records is kept.

What each column is for: sudonglian.records.tables. A migration is never changed once it is released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "kept_pieces",
        sa.Column("kind", sa.Text(), nullable=False, comment="views or facts"),
        sa.Column("start", sa.BigInteger(), nullable=False, comment="log index of the first entry covered"),
        sa.Column("end", sa.BigInteger(), nullable=False, comment="log index after the last one"),
        sa.Column("root", sa.LargeBinary(32), nullable=False, comment="of the log at that size"),
        sa.Column("version", sa.Text(), nullable=False, comment="of the program that wrote it"),
        sa.Column(
            "body", sa.LargeBinary(), nullable=False, comment="events as a trace sees them, or their facts; compressed"
        ),
        sa.Column("mac", sa.LargeBinary(32), nullable=False, comment="over all of it"),
        sa.PrimaryKeyConstraint("kind", "start", name=op.f("pk_kept_pieces")),
        comment="What a trace has read of sealed records: derivable, thrown away at will (docs/decisions/0352).",
    )

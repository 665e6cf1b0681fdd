"""Which key-encryption key wraps a person's key, and which one wraps new ones.

What each column is for: sudonglian.records.tables. A migration is never changed once it is released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Name the key of each row; the first one's name is known when the keys are opened."""
    op.create_table(
        "keks",
        sa.Column(
            "id", sa.Text(), nullable=False, comment="of whoever holds the keys; the keys themselves are never here"
        ),
        sa.Column("since_us", sa.BigInteger(), nullable=False, comment="when it began to write"),
        sa.Column("retired_us", sa.BigInteger(), comment="when another one took over; null for the one that writes"),
        sa.Column("destroyed_us", sa.BigInteger(), comment="when nothing of it was left"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keks")),
        comment="Key-encryption keys: which one wraps new persons' keys, and which ever did (docs/decisions/0505).",
    )
    op.add_column(
        "persons",
        sa.Column(
            "kek",
            sa.Text(),
            nullable=False,
            server_default="",
            comment="the key-encryption key that wraps it: keks.id",
        ),
    )
    op.create_index("ix_persons_kek", "persons", ["kek"])
    op.execute("DELETE FROM meta WHERE key = 'key_check:kek.key'")

"""What firms say their identifiers stand for.

What each column is for: sudonglian.records.tables. A migration is never changed once it is released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "master_data",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("submitter", sa.Text(), nullable=False),
        sa.Column("normal", sa.Text(), nullable=False),
        sa.Column("vocabulary", sa.Text(), nullable=False, comment="the type of the identifier, a URI"),
        sa.Column("uri", sa.Text(), nullable=False, comment="as written"),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="canonical: attributes, children"),
        sa.Column("told_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_master_data")),
        comment="What firms say their identifiers stand for: shown, never proven (docs/decisions/0207).",
    )
    op.create_index("ix_master_data_normal", "master_data", ["normal"], unique=False)

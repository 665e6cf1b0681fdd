"""A chain that is lost may have been at the address of the one that counts.

A development node that is made anew within the second has the same genesis block, and the same key's first contract
has the same address there. A migration is never changed once it is released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Ask for one row of a genesis and contract among those that are not lost alone."""
    if op.get_bind().dialect.name == "sqlite":
        _make_anew()
    else:
        op.drop_constraint("uq_chains_genesis_contract", "chains", type_="unique")
    alive = sa.text("lost_us IS NULL")
    op.create_index(
        "uq_chains_live",
        "chains",
        ["genesis", "contract"],
        unique=True,
        sqlite_where=alive,
        postgresql_where=alive,
    )


def _make_anew() -> None:
    # SQLite drops no constraint; and what points at a table that is dropped counts as broken until the same rows are
    # inserted again: a table that is renamed into its place (Alembic's batch) does not mend that.
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM chains")
    op.drop_table("chains")
    op.create_table(
        "chains",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("genesis", sa.LargeBinary(length=32), nullable=False),
        sa.Column("contract", sa.LargeBinary(length=20), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("deploy_tx", sa.LargeBinary(length=32), nullable=False),
        sa.Column("deploy_block", sa.BigInteger(), nullable=False),
        sa.Column("lost_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chains")),
    )
    op.execute("INSERT INTO chains SELECT * FROM kept")
    op.execute("DROP TABLE kept")

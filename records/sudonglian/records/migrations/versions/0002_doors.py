"""API keys and jobs of the HTTP door.

What each column is for: sudonglian.records.tables. A migration is never changed once it is released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "api_keys",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False, comment="shown, to speak about a key"),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False, comment="SHA-256 of a random 256-bit token"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False, comment="sorted, separated by spaces"),
        sa.Column(
            "submitter",
            sa.Text(),
            nullable=True,
            comment="the firm that it speaks for; null for keys that submit nothing",
        ),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=True),
        sa.Column("revoked_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_keys_prefix")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_keys_token_hash")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="random, 32 hexadecimal digits"),
        sa.Column("kind", sa.Text(), nullable=False, comment="capture or trace"),
        sa.Column("state", sa.Text(), nullable=False, comment="queued, running, success or failed"),
        sa.Column("api_key", ID, nullable=False, comment="who asked"),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column(
            "request_mac",
            sa.LargeBinary(length=32),
            nullable=True,
            comment="of what was asked under that idempotency key",
        ),
        sa.Column("asked", sa.LargeBinary(), nullable=False, comment="canonical"),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("lease_us", sa.BigInteger(), nullable=True, comment="until when a running job is its process's"),
        sa.Column("finished_us", sa.BigInteger(), nullable=True),
        sa.Column("result", sa.LargeBinary(), nullable=True, comment="JSON"),
        sa.Column("graph", sa.LargeBinary(), nullable=True, comment="GraphML of a trace"),
        sa.ForeignKeyConstraint(["api_key"], ["api_keys.id"], name=op.f("fk_jobs_api_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint("name", name=op.f("uq_jobs_name")),
        sa.UniqueConstraint("api_key", "kind", "idempotency_key", name="uq_jobs_idempotency"),
        comment="What was asked over HTTP and its first answer; forgotten after a month (docs/decisions/0711).",
    )
    op.create_index("ix_jobs_state", "jobs", ["state"], unique=False)

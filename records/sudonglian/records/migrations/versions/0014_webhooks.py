"""Webhooks and what they are to be told.

What each column is for: sudonglian.records.tables. A migration is never changed once it is released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "webhooks",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhooks")),
        sa.Column("name", sa.Text(), nullable=False),
        sa.UniqueConstraint("name", name=op.f("uq_webhooks_name")),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False, comment="types of messages, sorted, separated by spaces"),
        sa.Column("firm", sa.Text(), comment="the firm whose server it is; null for the authority's own"),
        sa.Column(
            "secret",
            sa.LargeBinary(),
            comment="under the key-encryption key, bound to the webhook; null once it has ended",
        ),
        sa.Column("secret_kek", sa.Text(), comment="that key: keks.id"),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False, comment="principal"),
        sa.Column("ended_us", sa.BigInteger()),
        sa.Column("delivered", sa.BigInteger(), nullable=False, comment="how many messages were taken"),
        sa.Column("delivered_us", sa.BigInteger(), comment="when the last one was"),
        sa.Column("failed", sa.BigInteger(), nullable=False, comment="attempts in a row that were not taken"),
        sa.Column(
            "error",
            sa.Text(),
            nullable=False,
            comment="why the last attempt was not, in our own words; empty if it was",
        ),
        comment="Servers that are told what happens (docs/decisions/0823).",
    )
    op.create_table(
        "webhook_messages",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_messages")),
        sa.Column("webhook", ID, nullable=False),
        sa.ForeignKeyConstraint(["webhook"], ["webhooks.id"], name=op.f("fk_webhook_messages_webhook")),
        sa.Column("name", sa.Text(), nullable=False, comment="webhook-id: the same at every attempt"),
        sa.UniqueConstraint("name", name=op.f("uq_webhook_messages_name")),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column(
            "body",
            sa.LargeBinary(),
            nullable=False,
            comment="canonical JSON: numbers of tasks and cases, and no person",
        ),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="waiting, delivered or dead"),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_us", sa.BigInteger(), comment="when it is tried next; null once it is delivered or dead"),
        sa.Column("ended_us", sa.BigInteger(), comment="when it was delivered or given up"),
        sa.Column("error", sa.Text(), nullable=False, comment="why the last attempt was not taken, in our own words"),
        comment="What is to be told, written with what it tells; forgotten some days after it was (docs/decisions/0823).",
    )
    op.create_index("ix_webhook_messages_state", "webhook_messages", ["state", "next_us"])
    op.create_index("ix_webhook_messages_webhook", "webhook_messages", ["webhook", "id"])

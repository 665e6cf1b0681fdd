"""Tasks of cases.

What each column is for: sudonglian.records.tables. A migration is never changed once it is released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "tasks",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_kind", sa.Text(), nullable=False, comment="person, lot, item or place"),
        sa.Column("subject", sa.Text(), nullable=False, comment="normal form, or a person's number"),
        sa.Column("place", sa.Text(), nullable=False, comment="where a lot is that is meant there alone"),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False, comment="whom to call first, from 1"),
        sa.Column("state", sa.Text(), nullable=False, comment="open, assigned or closed"),
        sa.Column("assignee", sa.Text(), nullable=True, comment="account:N"),
        sa.Column("made_us", sa.BigInteger(), nullable=False),
        sa.Column("escalated_us", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("closed_us", sa.BigInteger(), nullable=True),
        comment="Tasks as the events of their case make them: records.task_state.",
    )
    op.create_index("ix_tasks_case_id", "tasks", ["case_id"])
    op.create_index("ix_tasks_assignee", "tasks", ["assignee", "state"])

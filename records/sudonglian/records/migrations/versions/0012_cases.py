"""Cases, what they began from, their traces, people, and requests for identities.

What each column is for: sudonglian.records.tables. A migration is never changed once it is released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "cases",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.Column("name", sa.Text(), nullable=False),
        sa.UniqueConstraint("name", name=op.f("uq_cases_name")),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False, comment="the legal basis"),
        sa.Column("responsible", sa.Text(), nullable=False),
        sa.Column("opened_us", sa.BigInteger(), nullable=False),
        sa.Column("closed_us", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False, comment="open, closed or merged"),
        sa.Column("into", sa.BigInteger(), nullable=True, comment="the case that it was merged into"),
        sa.Column("first_list_us", sa.BigInteger(), nullable=True),
        comment="Cases as their events in the private tree make them: records.case_state; so are the next five tables.",
    )
    op.create_table(
        "case_events",
        sa.Column(
            "private_idx", sa.BigInteger(), autoincrement=False, nullable=False, comment="what it says stands there"
        ),
        sa.PrimaryKeyConstraint("private_idx", name=op.f("pk_case_events")),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False, comment="from 0"),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False, comment="who did it"),
        sa.Column("do", sa.Text(), nullable=False),
        sa.UniqueConstraint("case_id", "n", name=op.f("uq_case_events_case")),
    )
    op.create_table(
        "case_seeds",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="item, lot, place or person"),
        sa.Column("subject", sa.Text(), nullable=False, comment="normal form, or a person's number"),
        sa.Column("at_us", sa.BigInteger(), nullable=False, comment="when it was sampled"),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("ct", sa.Text(), nullable=False, comment="decimal text"),
        sa.Column("sample", sa.Text(), nullable=False, comment="kind of sample"),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("origin", sa.BigInteger(), nullable=True, comment="the case that it came from"),
        sa.PrimaryKeyConstraint("case_id", "n", name=op.f("pk_case_seeds")),
    )
    op.create_table(
        "case_runs",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("trace", sa.BigInteger(), nullable=False, comment="traces.id, which has the parameters"),
        sa.Column("log_size", sa.BigInteger(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("listed", sa.BigInteger(), nullable=False, comment="how many persons"),
        sa.PrimaryKeyConstraint("case_id", "trace", name=op.f("pk_case_runs")),
    )
    op.create_table(
        "case_members",
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("person_no", sa.BigInteger(), nullable=False),
        sa.Column("run", sa.BigInteger(), nullable=False, comment="the trace that gives the tier"),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False, comment="of the tier, the strongest lowest"),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("origin", sa.BigInteger(), nullable=True, comment="the case that brought the person"),
        sa.Column("reached_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("case_id", "person_no", name=op.f("pk_case_members")),
    )
    op.create_index("ix_case_members_person_no", "case_members", ["person_no"])
    op.create_table(
        "reveals",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reveals")),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("asked_us", sa.BigInteger(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("persons", sa.LargeBinary(), nullable=False, comment="canonical list of numbers"),
        sa.Column("digest", sa.LargeBinary(32), nullable=False, comment="of the line list that it is about"),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="asked, approved, refused or released"),
        sa.Column("decided_us", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("release_until_us", sa.BigInteger(), nullable=True),
        sa.Column("released_us", sa.BigInteger(), nullable=True),
        sa.Column(
            "entries_from",
            sa.BigInteger(),
            nullable=True,
            comment="private entry about its first person; the others follow",
        ),
    )
    op.create_index("ix_reveals_case_id", "reveals", ["case_id"])

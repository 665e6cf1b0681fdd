"""People sign in; a job is its asker's, person or machine, and a capture its firm's.

What each column is for: sudonglian.records.tables. A migration is never changed once it is released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables, and let keys and jobs belong to people too."""
    op.create_table(
        "accounts",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="what is typed to sign in; accounts.normal_name"),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False, comment="sorted, separated by spaces"),
        sa.Column(
            "submitter", sa.Text(), nullable=True, comment="the firm that it acts for; null for people of no firm"
        ),
        sa.Column(
            "password_hash",
            sa.Text(),
            nullable=True,
            comment="Argon2id with its salt and parameters; null until it is chosen",
        ),
        sa.Column(
            "totp",
            sa.LargeBinary(),
            nullable=True,
            comment="the secret under the key-encryption key, bound to the account",
        ),
        sa.Column("totp_kek", sa.Text(), comment="that key: keks.id; null without a secret"),
        sa.Column(
            "totp_step",
            sa.BigInteger(),
            nullable=True,
            comment="the step used last; null until a first code has confirmed the secret",
        ),
        sa.Column(
            "recovery",
            sa.Text(),
            nullable=False,
            comment="SHA-256 of each unused recovery code, separated by spaces",
        ),
        sa.Column(
            "invite_hash",
            sa.LargeBinary(32),
            nullable=True,
            comment="SHA-256 of the one-time code that lets it choose",
        ),
        sa.Column("invite_until_us", sa.BigInteger(), nullable=True),
        sa.Column("failed", sa.Integer(), nullable=False, comment="attempts in a row that were not right"),
        sa.Column("locked_until_us", sa.BigInteger(), nullable=True),
        sa.Column("ends_us", sa.BigInteger(), nullable=True, comment="when a trial account ends; null for all others"),
        sa.Column("disabled_us", sa.BigInteger(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("invite_hash", name=op.f("uq_accounts_invite_hash")),
        sa.UniqueConstraint("name", name=op.f("uq_accounts_name")),
        comment="People who sign in (docs/decisions/0770).",
    )
    op.create_table(
        "sessions",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False, comment="SHA-256 of a random 256-bit token"),
        sa.Column("account", ID, nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("idle_us", sa.BigInteger(), nullable=False, comment="how long it lives without being used"),
        sa.Column("seen_us", sa.BigInteger(), nullable=False, comment="about when it was used last"),
        sa.Column("revoked_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_sessions_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sessions_token_hash")),
    )
    op.create_index("ix_sessions_account", "sessions", ["account"])
    # Jobs first: while they point at keys, SQLite cannot make the table of keys anew.
    with op.batch_alter_table("jobs") as jobs:
        jobs.add_column(sa.Column("owner", sa.Text(), nullable=True, comment="who asked: key:N or account:N"))
        jobs.add_column(
            sa.Column(
                "submitter",
                sa.Text(),
                nullable=True,
                comment="the firm that a capture was for; null for what is no firm's",
            )
        )
    op.execute("UPDATE jobs SET owner = 'key:' || api_key")
    op.execute(
        "UPDATE jobs SET submitter = (SELECT submitter FROM api_keys WHERE api_keys.id = jobs.api_key)"
        " WHERE kind <> 'trace'"
    )
    with op.batch_alter_table("jobs") as jobs:
        jobs.drop_constraint("uq_jobs_idempotency", type_="unique")
        jobs.drop_constraint(op.f("fk_jobs_api_key"), type_="foreignkey")
        jobs.drop_column("api_key")
        jobs.alter_column(
            "owner", existing_type=sa.Text(), nullable=False, existing_comment="who asked: key:N or account:N"
        )
        jobs.create_unique_constraint("uq_jobs_idempotency", ["owner", "kind", "idempotency_key"])
    op.create_index("ix_jobs_submitter", "jobs", ["submitter", "id"])
    with op.batch_alter_table("api_keys") as keys:
        keys.add_column(
            sa.Column("account", ID, nullable=True, comment="the person whose key it is; null for machines")
        )
        keys.create_foreign_key(op.f("fk_api_keys_account"), "accounts", ["account"], ["id"])

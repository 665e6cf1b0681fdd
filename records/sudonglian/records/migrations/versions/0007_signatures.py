"""Handoffs, parties' signatures, what the registry said of their keys, transactions for the registry.

What each column is for: sudonglian.records.tables. A migration is never changed once it is released.
"""

from collections.abc import Iterator
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

from sudonglian.chain import entry
from sudonglian.records.handoffs import handoff_of

revision = "0007"
down_revision = "0006"

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

BATCH = 500


def upgrade() -> None:
    """Create the tables, and find the handoffs among the records that are there."""
    op.create_table(
        "handoffs",
        sa.Column("record_id", ID, autoincrement=False, nullable=False),
        sa.Column("consignor", sa.Text(), nullable=False, comment="normal URI of who gives"),
        sa.Column("consignee", sa.Text(), nullable=False, comment="normal URI of who takes"),
        sa.Column(
            "taken_back",
            sa.Boolean(),
            nullable=False,
            comment="a correction stands against the record, in the log or in line",
        ),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name=op.f("fk_handoffs_record_id")),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_handoffs")),
        comment="Records by which goods pass from one possessor to another (handoffs.handoff_of).",
    )
    op.create_table(
        "signatures",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("record_id", ID, nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False, comment="d of its log entry"),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="the signature object, canonical"),
        sa.Column("role", sa.Text(), nullable=False, comment="consignor or consignee"),
        sa.Column("signer", sa.LargeBinary(length=20), nullable=False),
        sa.Column(
            "party",
            sa.LargeBinary(length=32),
            nullable=False,
            comment="the signer's party by the registry when it was taken",
        ),
        sa.Column(
            "fills",
            sa.Text(),
            nullable=True,
            comment="its role while it counts; null if its key was not in force at its anchor",
        ),
        sa.Column("taken_us", sa.BigInteger(), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=True, comment="null until the sequencer takes it"),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name=op.f("fk_signatures_record_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signatures")),
        sa.UniqueConstraint("digest", name=op.f("uq_signatures_digest")),
        sa.UniqueConstraint("log_index", name=op.f("uq_signatures_log_index")),
        sa.UniqueConstraint("record_id", "fills", name="uq_signatures_role"),
        comment="Parties' signatures over records (docs/spec/signature.md, docs/signing.md).",
    )
    op.create_table(
        "key_proofs",
        sa.Column("anchor", ID, nullable=False),
        sa.Column("signer", sa.LargeBinary(length=20), nullable=False),
        sa.Column(
            "party_proof",
            sa.LargeBinary(),
            nullable=True,
            comment="RLP list of nodes; null if the registry did not know the key",
        ),
        sa.Column("window_proof", sa.LargeBinary(), nullable=True, comment="RLP list of nodes; null likewise"),
        sa.ForeignKeyConstraint(["anchor"], ["anchors.id"], name=op.f("fk_key_proofs_anchor")),
        sa.PrimaryKeyConstraint("anchor", "signer", name=op.f("pk_key_proofs")),
        comment="What the registry said in a final anchor's block of each key whose signature it is the first to cover.",
    )
    op.create_table(
        "registrations",
        sa.Column("chain", ID, nullable=False),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("raw_tx", sa.LargeBinary(), nullable=False, comment="saved before it is sent"),
        sa.Column("party", sa.Text(), nullable=True, comment="normal URI of the party whose key it registers"),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["chain"], ["chains.id"], name=op.f("fk_registrations_chain")),
        sa.PrimaryKeyConstraint("chain", "tx_hash", name=op.f("pk_registrations")),
        comment="Every transaction signed for the registry of parties; what came of it the chain says.",
    )
    _find_handoffs(op.get_bind())


def _find_handoffs(connection: sa.Connection) -> None:
    records = sa.table(
        "records",
        sa.column("id"),
        sa.column("record_hash", sa.LargeBinary()),
        sa.column("body", sa.LargeBinary()),
        sa.column("is_error_declaration", sa.Boolean()),
    )
    columns: list[Any] = [sa.column(name) for name in ("record_id", "consignor", "consignee", "taken_back")]
    handoffs = sa.table("handoffs", *columns)
    taken_back = {*_corrected(connection, "entries"), *_corrected(connection, "pending")}
    last = 0
    while True:
        query = sa.select(records).where(records.c.id > last).order_by(records.c.id).limit(BATCH)
        rows = connection.execute(query).all()
        if not rows:
            return
        found: list[dict[str, Any]] = []
        for row in rows:
            one = handoff_of(orjson.loads(row.body)["event"], is_error_declaration=bool(row.is_error_declaration))
            if one is not None:
                found.append(one.row(row.id, taken_back=bytes(row.record_hash) in taken_back))
        if found:
            connection.execute(sa.insert(handoffs), found)
        last = rows[-1].id


def _corrected(connection: sa.Connection, table: str) -> Iterator[bytes]:
    for row in connection.execute(sa.select(sa.table(table, sa.column("data", sa.LargeBinary())))):
        if isinstance(said := entry.parse_entry(bytes(row.data)), entry.CorrectionEntry):
            yield said.of

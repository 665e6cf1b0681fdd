"""The first schema.

What each column is for: sudonglian.records.tables. A migration is never changed once it is released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "chains",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("genesis", sa.LargeBinary(length=32), nullable=False),
        sa.Column("contract", sa.LargeBinary(length=20), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("deploy_tx", sa.LargeBinary(length=32), nullable=False),
        sa.Column("deploy_block", sa.BigInteger(), nullable=False),
        sa.Column("lost_us", sa.BigInteger(), nullable=True, comment="when this chain was found empty or gone"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chains")),
        sa.UniqueConstraint("genesis", "contract", name="uq_chains_genesis_contract"),
    )
    op.create_table(
        "checkpoints",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("sealed_us", sa.BigInteger(), nullable=False),
        sa.Column(
            "private_size", sa.BigInteger(), nullable=False, comment="of the private tree whose root is in the seal"
        ),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_checkpoints")),
    )
    op.create_table(
        "entries",
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False, comment="canonical entry"),
        sa.Column(
            "about",
            sa.LargeBinary(length=32),
            nullable=True,
            comment="the record concerned: h of record and signature, of of a correction",
        ),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_entries")),
    )
    op.create_index("ix_entries_about", "entries", ["about"], unique=False)
    op.create_table(
        "lot_chain",
        sa.Column("lot_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False, comment="from 1"),
        sa.Column("log_index", sa.BigInteger(), nullable=False),
        sa.Column("record_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("c", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("lot_key", "n", name=op.f("pk_lot_chain")),
    )
    op.create_table(
        "lot_nodes",
        sa.Column("depth", sa.SmallInteger(), nullable=False),
        sa.Column(
            "prefix",
            sa.LargeBinary(length=32),
            nullable=False,
            comment="of the key: its first `depth` bits, padded to bytes",
        ),
        sa.Column("seal_index", sa.BigInteger(), nullable=False, comment="the seal that wrote this version"),
        sa.Column(
            "payload", sa.LargeBinary(), nullable=False, comment="left + right (64 bytes) or key + count + c (72)"
        ),
        sa.PrimaryKeyConstraint("depth", "prefix", "seal_index", name=op.f("pk_lot_nodes")),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_meta")),
        comment="What is fixed for the life of a deployment: origin, verifier_key, created_us.",
    )
    op.create_table(
        "nodes",
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "idx", name=op.f("pk_nodes")),
        comment="Complete subtrees of the log; level 0 are the leaves.",
    )
    op.create_table(
        "persons",
        sa.Column("person_no", sa.BigInteger(), autoincrement=False, nullable=False, comment="random, 1 to 2^53 - 1"),
        sa.Column("lookup", sa.LargeBinary(length=32), nullable=False, comment="HMAC(K_lookup, kind, normal id)"),
        sa.Column(
            "wrapped_key", sa.LargeBinary(), nullable=False, comment="the person's key under the key-encryption key"
        ),
        sa.PrimaryKeyConstraint("person_no", name=op.f("pk_persons")),
        sa.UniqueConstraint("lookup", name=op.f("uq_persons_lookup")),
    )
    op.create_table(
        "private_entries",
        sa.Column("idx", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("blinding", sa.LargeBinary(length=32), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False, comment="canonical; the leaf data is blinding + data"),
        sa.PrimaryKeyConstraint("idx", name=op.f("pk_private_entries")),
        comment="The private tree: access log, digests of trace documents, erasure receipts.",
    )
    op.create_table(
        "private_nodes",
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("idx", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("level", "idx", name=op.f("pk_private_nodes")),
        comment="Complete subtrees of the private tree, as `nodes` are of the log.",
    )
    op.create_table(
        "records",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("record_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="canonical(R), for ever"),
        sa.Column("submitter", sa.Text(), nullable=False),
        sa.Column("is_error_declaration", sa.Boolean(), nullable=False),
        sa.Column(
            "event_mac",
            sa.LargeBinary(length=32),
            nullable=False,
            comment="what a resend is looked up by: derive.event_mac",
        ),
        sa.Column(
            "content_mac",
            sa.LargeBinary(length=32),
            nullable=True,
            comment="HMAC(K_content, canonical(P)); null once a disclosure is erased",
        ),
        sa.Column("event_time_us", sa.BigInteger(), nullable=False),
        sa.Column("captured_us", sa.BigInteger(), nullable=False),
        sa.Column(
            "transformation_id",
            sa.Text(),
            nullable=True,
            comment="derive.transformation_id: links the parts of one transformation",
        ),
        sa.Column("log_index", sa.BigInteger(), nullable=True, comment="null until the sequencer takes it"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_records")),
        sa.UniqueConstraint("log_index", name=op.f("uq_records_log_index")),
        sa.UniqueConstraint("record_hash", name=op.f("uq_records_record_hash")),
    )
    op.create_index("ix_records_content_mac", "records", ["content_mac"], unique=False)
    op.create_index("ix_records_event_mac", "records", ["event_mac"], unique=False)
    op.create_index("ix_records_event_time_us", "records", ["event_time_us"], unique=False)
    op.create_index("ix_records_transformation_id", "records", ["transformation_id"], unique=False)
    op.create_table(
        "traces",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("asked_us", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("query", sa.LargeBinary(), nullable=False, comment="canonical"),
        sa.Column("log_size", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=True, comment="canonical trace document; null while it runs"),
        sa.Column("document_hash", sa.LargeBinary(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_traces")),
    )
    op.create_table(
        "anchors",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("chain", ID, nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column(
            "state", sa.Text(), nullable=False, comment="SEALED SIGNED BROADCAST MINED FINAL REORGED STUCK CHAIN_LOST"
        ),
        sa.Column("nonce", sa.BigInteger(), nullable=True),
        sa.Column("raw_tx", sa.LargeBinary(), nullable=True, comment="saved before it is sent"),
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("max_fee", sa.BigInteger(), nullable=True),
        sa.Column("priority_fee", sa.BigInteger(), nullable=True),
        sa.Column("sent_us", sa.BigInteger(), nullable=True),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("block_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("header", sa.LargeBinary(), nullable=True, comment="RLP, captured when final, as are the proofs"),
        sa.Column("account_proof", sa.LargeBinary(), nullable=True, comment="RLP list of nodes"),
        sa.Column("storage_proof", sa.LargeBinary(), nullable=True, comment="RLP list of nodes"),
        sa.Column("receipt", sa.LargeBinary(), nullable=True, comment="canonical JSON of the receipt"),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["chain"], ["chains.id"], name=op.f("fk_anchors_chain")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_anchors")),
        sa.UniqueConstraint("chain", "size", name="uq_anchors_chain_size"),
        comment="States and their meaning: docs/anchoring.md. raw_tx history: anchor_attempts.",
    )
    op.create_table(
        "disclosures",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("record_id", ID, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False, comment="as it stands in R"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False, comment="partner, restricted or vault"),
        sa.Column(
            "position",
            sa.SmallInteger(),
            nullable=True,
            comment="index in sdl:participants of P, null for a whole member",
        ),
        sa.Column("text", sa.Text(), nullable=True, comment="the disclosure; null in the vault"),
        sa.Column("person_no", sa.BigInteger(), nullable=True, comment="whose key seals it; vault only"),
        sa.Column(
            "sealed", sa.LargeBinary(), nullable=True, comment="the disclosure under the person's key; vault only"
        ),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name=op.f("fk_disclosures_record_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disclosures")),
        sa.UniqueConstraint("record_id", "digest", name="uq_disclosures_record_digest"),
    )
    op.create_index("ix_disclosures_person_no", "disclosures", ["person_no"], unique=False)
    op.create_table(
        "identifiers",
        sa.Column("record_id", ID, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False, comment="as written"),
        sa.Column("normal", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Text(), nullable=True, comment="decimal text"),
        sa.Column("uom", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name=op.f("fk_identifiers_record_id")),
        sa.PrimaryKeyConstraint("record_id", "position", name=op.f("pk_identifiers")),
    )
    op.create_index("ix_identifiers_normal", "identifiers", ["normal"], unique=False)
    op.create_table(
        "participants",
        sa.Column("record_id", ID, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("person_no", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=True),
        sa.Column("ppe", sa.Text(), nullable=True),
        sa.Column("start_us", sa.BigInteger(), nullable=True),
        sa.Column("end_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name=op.f("fk_participants_record_id")),
        sa.PrimaryKeyConstraint("record_id", "position", name=op.f("pk_participants")),
        comment="Who handled what, by number only: stays, nameless, when a person is erased.",
    )
    op.create_index("ix_participants_person_no", "participants", ["person_no"], unique=False)
    op.create_table(
        "pending",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False, comment="canonical entry, not yet in the log"),
        sa.Column("record_id", ID, nullable=True, comment="of a record entry"),
        sa.Column("queued_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["record_id"], ["records.id"], name=op.f("fk_pending_record_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending")),
    )
    op.create_table(
        "anchor_attempts",
        sa.Column("tx_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("anchor", ID, nullable=False),
        sa.Column("raw_tx", sa.LargeBinary(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["anchor"], ["anchors.id"], name=op.f("fk_anchor_attempts_anchor")),
        sa.PrimaryKeyConstraint("tx_hash", name=op.f("pk_anchor_attempts")),
        comment="Every transaction ever signed for an anchor: any of them may be the one that is mined.",
    )

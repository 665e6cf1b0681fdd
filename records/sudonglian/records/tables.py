"""The tables of the memory, in one place: what is kept, and what each column is for.

docs/spec/{record,entry,seal}.md name the things; proofs stand on `records.body`, `entries.data` and the chain alone,
every other column can be recomputed from them and from the disclosures, and `fsck` does.
Times are microseconds since 1970 UTC (`*_us`): both databases keep them exactly. Hashes are 32 raw bytes.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID: Final = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only in a column of type INTEGER."""

META: Final = Table(
    "meta",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    comment="What is fixed for the life of a deployment: origin, verifier_key, created_us.",
)

RECORDS: Final = Table(
    "records",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("record_hash", LargeBinary(32), nullable=False, unique=True),
    Column("body", LargeBinary, nullable=False, comment="canonical(R), for ever"),
    Column("submitter", Text, nullable=False),
    Column("is_error_declaration", Boolean, nullable=False),
    Column("event_mac", LargeBinary(32), nullable=False, comment="what a resend is looked up by: derive.event_mac"),
    Column("content_mac", LargeBinary(32), comment="HMAC(K_content, canonical(P)); null once a disclosure is erased"),
    Column("event_time_us", BigInteger, nullable=False),
    Column("captured_us", BigInteger, nullable=False),
    Column("transformation_id", Text, comment="derive.transformation_id: links the parts of one transformation"),
    Column("log_index", BigInteger, unique=True, comment="null until the sequencer takes it"),
    Index("ix_records_event_mac", "event_mac"),
    Index("ix_records_content_mac", "content_mac"),
    Index("ix_records_event_time_us", "event_time_us"),
    Index("ix_records_transformation_id", "transformation_id"),
    Index("ix_records_submitter", "submitter", "id"),
)

DISCLOSURES: Final = Table(
    "disclosures",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("record_id", ForeignKey("records.id"), nullable=False),
    Column("digest", Text, nullable=False, comment="as it stands in R"),
    Column("name", Text, nullable=False),
    Column("visibility", Text, nullable=False, comment="partner, restricted or vault"),
    Column("position", SmallInteger, comment="index in sdl:participants of P, null for a whole member"),
    Column("text", Text, comment="the disclosure; null in the vault"),
    Column("person_no", BigInteger, comment="whose key seals it; vault only"),
    Column("sealed", LargeBinary, comment="the disclosure under the person's key; vault only"),
    UniqueConstraint("record_id", "digest", name="uq_disclosures_record_digest"),
    Index("ix_disclosures_person_no", "person_no"),
)

PERSONS: Final = Table(
    "persons",
    METADATA,
    Column("person_no", BigInteger, primary_key=True, autoincrement=False, comment="random, 1 to 2^53 - 1"),
    Column("lookup", LargeBinary(32), nullable=False, unique=True, comment="HMAC(K_lookup, kind, normal id)"),
    Column("kek", Text, nullable=False, server_default="", comment="the key-encryption key that wraps it: keks.id"),
    Column("wrapped_key", LargeBinary, nullable=False, comment="the person's key under the key-encryption key"),
    Index("ix_persons_kek", "kek"),
)

KEKS: Final = Table(
    "keks",
    METADATA,
    Column("id", Text, primary_key=True, comment="of whoever holds the keys; the keys themselves are never here"),
    Column("since_us", BigInteger, nullable=False, comment="when it began to write"),
    Column("retired_us", BigInteger, comment="when another one took over; null for the one that writes"),
    Column("destroyed_us", BigInteger, comment="when nothing of it was left"),
    comment="Key-encryption keys: which one wraps new persons' keys, and which ever did (docs/decisions/0505).",
)

PARTICIPANTS: Final = Table(
    "participants",
    METADATA,
    Column("record_id", ForeignKey("records.id"), nullable=False),
    Column("position", SmallInteger, nullable=False),
    Column("person_no", BigInteger, nullable=False),
    Column("role", Text, nullable=False),
    Column("contact", Text),
    Column("ppe", Text),
    Column("start_us", BigInteger),
    Column("end_us", BigInteger),
    PrimaryKeyConstraint("record_id", "position"),
    Index("ix_participants_person_no", "person_no"),
    comment="Who handled what, by number only: stays, nameless, when a person is erased.",
)

IDENTIFIERS: Final = Table(
    "identifiers",
    METADATA,
    Column("record_id", ForeignKey("records.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("role", Text, nullable=False),
    Column("uri", Text, nullable=False, comment="as written"),
    Column("normal", Text, nullable=False),
    Column("quantity", Text, comment="decimal text"),
    Column("uom", Text),
    PrimaryKeyConstraint("record_id", "position"),
    Index("ix_identifiers_normal", "normal"),
)

MASTER_DATA: Final = Table(
    "master_data",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("submitter", Text, nullable=False),
    Column("normal", Text, nullable=False),
    Column("vocabulary", Text, nullable=False, comment="the type of the identifier, a URI"),
    Column("uri", Text, nullable=False, comment="as written"),
    Column("body", LargeBinary, nullable=False, comment="canonical: attributes, children"),
    Column("told_us", BigInteger, nullable=False),
    Index("ix_master_data_normal", "normal"),
    Index("ix_master_data_submitter", "submitter", "id"),
    comment="What firms say their identifiers stand for: shown, never proven (docs/decisions/0207).",
)

PENDING: Final = Table(
    "pending",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("data", LargeBinary, nullable=False, comment="canonical entry, not yet in the log"),
    Column("record_id", ForeignKey("records.id"), comment="of a record entry"),
    Column("queued_us", BigInteger, nullable=False),
)

ENTRIES: Final = Table(
    "entries",
    METADATA,
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False, comment="canonical entry"),
    Column("about", LargeBinary(32), comment="the record concerned: h of record and signature, of of a correction"),
    Index("ix_entries_about", "about"),
)

NODES: Final = Table(
    "nodes",
    METADATA,
    Column("level", SmallInteger, nullable=False),
    Column("idx", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    PrimaryKeyConstraint("level", "idx"),
    comment="Complete subtrees of the log; level 0 are the leaves.",
)

LOT_CHAIN: Final = Table(
    "lot_chain",
    METADATA,
    Column("lot_key", LargeBinary(32), nullable=False),
    Column("n", BigInteger, nullable=False, comment="from 1"),
    Column("log_index", BigInteger, nullable=False),
    Column("record_hash", LargeBinary(32), nullable=False),
    Column("c", LargeBinary(32), nullable=False),
    PrimaryKeyConstraint("lot_key", "n"),
)

LOT_NODES: Final = Table(
    "lot_nodes",
    METADATA,
    Column("depth", SmallInteger, nullable=False),
    Column("prefix", LargeBinary(32), nullable=False, comment="of the key: its first `depth` bits, padded to bytes"),
    Column("seal_index", BigInteger, nullable=False, comment="the seal that wrote this version"),
    Column("payload", LargeBinary, nullable=False, comment="left + right (64 bytes) or key + count + c (72)"),
    PrimaryKeyConstraint("depth", "prefix", "seal_index"),
)

CHECKPOINTS: Final = Table(
    "checkpoints",
    METADATA,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("sealed_us", BigInteger, nullable=False),
    Column("private_size", BigInteger, nullable=False, comment="of the private tree whose root is in the seal"),
)

PRIVATE_ENTRIES: Final = Table(
    "private_entries",
    METADATA,
    Column("idx", BigInteger, primary_key=True, autoincrement=False),
    Column("blinding", LargeBinary(32), nullable=False),
    Column("data", LargeBinary, nullable=False, comment="canonical; the leaf data is blinding + data"),
    comment="The private tree: access log, digests of trace documents, erasure receipts.",
)

PRIVATE_NODES: Final = Table(
    "private_nodes",
    METADATA,
    Column("level", SmallInteger, nullable=False),
    Column("idx", BigInteger, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    PrimaryKeyConstraint("level", "idx"),
    comment="Complete subtrees of the private tree, as `nodes` are of the log.",
)

CHAINS: Final = Table(
    "chains",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("chain_id", BigInteger, nullable=False),
    Column("genesis", LargeBinary(32), nullable=False),
    Column("contract", LargeBinary(20), nullable=False),
    Column("code_hash", LargeBinary(32), nullable=False),
    Column("deploy_tx", LargeBinary(32), nullable=False),
    Column("deploy_block", BigInteger, nullable=False),
    Column("lost_us", BigInteger, comment="when this chain was found empty or gone"),
    # A development node that is made anew within the second has the old genesis block, and so the old address.
    Index(
        "uq_chains_live",
        "genesis",
        "contract",
        unique=True,
        sqlite_where=text("lost_us IS NULL"),
        postgresql_where=text("lost_us IS NULL"),
    ),
)

ANCHORS: Final = Table(
    "anchors",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("chain", ForeignKey("chains.id"), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("root", LargeBinary(32), nullable=False),
    Column("state", Text, nullable=False, comment="SEALED SIGNED BROADCAST MINED FINAL REORGED STUCK CHAIN_LOST"),
    Column("nonce", BigInteger),
    Column("raw_tx", LargeBinary, comment="saved before it is sent"),
    Column("tx_hash", LargeBinary(32)),
    Column("max_fee", BigInteger),
    Column("priority_fee", BigInteger),
    Column("sent_us", BigInteger),
    Column("block_number", BigInteger),
    Column("block_hash", LargeBinary(32)),
    Column("header", LargeBinary, comment="RLP, captured when final, as are the proofs"),
    Column("account_proof", LargeBinary, comment="RLP list of nodes"),
    Column("storage_proof", LargeBinary, comment="RLP list of nodes"),
    Column("receipt", LargeBinary, comment="canonical JSON of the receipt"),
    Column("updated_us", BigInteger, nullable=False),
    UniqueConstraint("chain", "size", name="uq_anchors_chain_size"),
    comment="States and their meaning: docs/anchoring.md. raw_tx history: anchor_attempts.",
)

ANCHOR_ATTEMPTS: Final = Table(
    "anchor_attempts",
    METADATA,
    Column("tx_hash", LargeBinary(32), primary_key=True),
    Column("anchor", ForeignKey("anchors.id"), nullable=False),
    Column("raw_tx", LargeBinary, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    comment="Every transaction ever signed for an anchor: any of them may be the one that is mined.",
)

HANDOFFS: Final = Table(
    "handoffs",
    METADATA,
    Column("record_id", ForeignKey("records.id"), primary_key=True, autoincrement=False),
    Column("consignor", Text, nullable=False, comment="normal URI of who gives"),
    Column("consignee", Text, nullable=False, comment="normal URI of who takes"),
    Column(
        "taken_back", Boolean, nullable=False, comment="a correction stands against the record, in the log or in line"
    ),
    comment="Records by which goods pass from one possessor to another (handoffs.handoff_of).",
)

SIGNATURES: Final = Table(
    "signatures",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("record_id", ForeignKey("records.id"), nullable=False),
    Column("digest", LargeBinary(32), nullable=False, unique=True, comment="d of its log entry"),
    Column("body", LargeBinary, nullable=False, comment="the signature object, canonical"),
    Column("role", Text, nullable=False, comment="consignor or consignee"),
    Column("signer", LargeBinary(20), nullable=False),
    Column("party", LargeBinary(32), nullable=False, comment="the signer's party by the registry when it was taken"),
    Column("fills", Text, comment="its role while it counts; null if its key was not in force at its anchor"),
    Column("taken_us", BigInteger, nullable=False),
    Column("log_index", BigInteger, unique=True, comment="null until the sequencer takes it"),
    UniqueConstraint("record_id", "fills", name="uq_signatures_role"),
    comment="Parties' signatures over records (docs/spec/signature.md, docs/signing.md).",
)

KEY_PROOFS: Final = Table(
    "key_proofs",
    METADATA,
    Column("anchor", ForeignKey("anchors.id"), nullable=False),
    Column("signer", LargeBinary(20), nullable=False),
    Column("party_proof", LargeBinary, comment="RLP list of nodes; null if the registry did not know the key"),
    Column("window_proof", LargeBinary, comment="RLP list of nodes; null likewise"),
    PrimaryKeyConstraint("anchor", "signer"),
    comment="What the registry said in a final anchor's block of each key whose signature it is the first to cover.",
)

REGISTRATIONS: Final = Table(
    "registrations",
    METADATA,
    Column("chain", ForeignKey("chains.id"), nullable=False),
    Column("tx_hash", LargeBinary(32), nullable=False),
    Column("raw_tx", LargeBinary, nullable=False, comment="saved before it is sent"),
    Column("party", Text, comment="normal URI of the party whose key it registers"),
    Column("created_us", BigInteger, nullable=False),
    PrimaryKeyConstraint("chain", "tx_hash"),
    comment="Every transaction signed for the registry of parties; what came of it the chain says.",
)

TRACES: Final = Table(
    "traces",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("asked_us", BigInteger, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("query", LargeBinary, nullable=False, comment="canonical"),
    Column("log_size", BigInteger, nullable=False),
    Column("document", LargeBinary, comment="canonical trace document; null while it runs"),
    Column("document_hash", LargeBinary(32)),
)

KEPT_PIECES: Final = Table(
    "kept_pieces",
    METADATA,
    Column("kind", Text, nullable=False, comment="views or facts"),
    Column("start", BigInteger, nullable=False, comment="log index of the first entry covered"),
    Column("end", BigInteger, nullable=False, comment="log index after the last one"),
    Column("root", LargeBinary(32), nullable=False, comment="of the log at that size"),
    Column("version", Text, nullable=False, comment="of the program that wrote it"),
    Column("body", LargeBinary, nullable=False, comment="events as a trace sees them, or their facts; compressed"),
    Column("mac", LargeBinary(32), nullable=False, comment="over all of it"),
    PrimaryKeyConstraint("kind", "start"),
    comment="What a trace has read of sealed records: derivable, thrown away at will (docs/decisions/0352).",
)

ACCOUNTS: Final = Table(
    "accounts",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, unique=True, comment="what is typed to sign in; accounts.normal_name"),
    Column("display_name", Text, nullable=False),
    Column("roles", Text, nullable=False, comment="sorted, separated by spaces"),
    Column("submitter", Text, comment="the firm that it acts for; null for people of no firm"),
    Column("password_hash", Text, comment="Argon2id with its salt and parameters; null until it is chosen"),
    Column("totp", LargeBinary, comment="the secret under the key-encryption key, bound to the account"),
    Column("totp_kek", Text, comment="that key: keks.id; null without a secret"),
    Column("totp_step", BigInteger, comment="the step used last; null until a first code has confirmed the secret"),
    Column("recovery", Text, nullable=False, comment="SHA-256 of each unused recovery code, separated by spaces"),
    Column("invite_hash", LargeBinary(32), unique=True, comment="SHA-256 of the one-time code that lets it choose"),
    Column("invite_until_us", BigInteger),
    Column("failed", Integer, nullable=False, comment="attempts in a row that were not right"),
    Column("locked_until_us", BigInteger),
    Column("ends_us", BigInteger, comment="when a trial account ends; null for all others"),
    Column("disabled_us", BigInteger),
    Column("created_us", BigInteger, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
    comment="People who sign in (docs/decisions/0770).",
)

SESSIONS: Final = Table(
    "sessions",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True, comment="SHA-256 of a random 256-bit token"),
    Column("account", ForeignKey("accounts.id"), nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Column("idle_us", BigInteger, nullable=False, comment="how long it lives without being used"),
    Column("seen_us", BigInteger, nullable=False, comment="about when it was used last"),
    Column("revoked_us", BigInteger),
    Index("ix_sessions_account", "account"),
)

API_KEYS: Final = Table(
    "api_keys",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("prefix", Text, nullable=False, unique=True, comment="shown, to speak about a key"),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True, comment="SHA-256 of a random 256-bit token"),
    Column("name", Text, nullable=False),
    Column("scopes", Text, nullable=False, comment="sorted, separated by spaces"),
    Column("submitter", Text, comment="the firm that it speaks for; null for keys that submit nothing"),
    Column("created_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger),
    Column("revoked_us", BigInteger),
    Column("profile", Text, comment="what its captures are judged by; null for none"),
    Column("account", ForeignKey("accounts.id"), comment="the person whose key it is; null for machines"),
)

JOBS: Final = Table(
    "jobs",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, unique=True, comment="random, 32 hexadecimal digits"),
    Column("kind", Text, nullable=False, comment="capture or trace"),
    Column("state", Text, nullable=False, comment="queued, running, success or failed"),
    Column("owner", Text, nullable=False, comment="who asked: key:N or account:N"),
    Column("submitter", Text, comment="the firm that a capture was for; null for what is no firm's"),
    Column("idempotency_key", Text),
    Column("request_mac", LargeBinary(32), comment="of what was asked under that idempotency key"),
    Column("asked", LargeBinary, nullable=False, comment="canonical"),
    Column("created_us", BigInteger, nullable=False),
    Column("lease_us", BigInteger, comment="until when a running job is its process's"),
    Column("finished_us", BigInteger),
    Column("result", LargeBinary, comment="JSON"),
    Column("graph", LargeBinary, comment="GraphML of a trace"),
    Column("progress", LargeBinary, comment="JSON, while it runs"),
    UniqueConstraint("owner", "kind", "idempotency_key", name="uq_jobs_idempotency"),
    Index("ix_jobs_state", "state"),
    Index("ix_jobs_submitter", "submitter", "id"),
    comment="What was asked over HTTP and its first answer; forgotten after a month (docs/decisions/0711).",
)

CASES: Final = Table(
    "cases",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False, unique=True),
    Column("purpose", Text, nullable=False),
    Column("basis", Text, nullable=False, comment="the legal basis"),
    Column("responsible", Text, nullable=False),
    Column("opened_us", BigInteger, nullable=False),
    Column("closed_us", BigInteger),
    Column("state", Text, nullable=False, comment="open, closed or merged"),
    Column("into", BigInteger, comment="the case that it was merged into"),
    Column("first_list_us", BigInteger),
    comment="Cases as their events in the private tree make them: records.case_state; so are the next five tables.",
)

CASE_EVENTS: Final = Table(
    "case_events",
    METADATA,
    Column("private_idx", BigInteger, primary_key=True, autoincrement=False, comment="what it says stands there"),
    Column("case_id", BigInteger, nullable=False),
    Column("n", BigInteger, nullable=False, comment="from 0"),
    Column("at_us", BigInteger, nullable=False),
    Column("principal", Text, nullable=False, comment="who did it"),
    Column("do", Text, nullable=False),
    UniqueConstraint("case_id", "n", name="uq_case_events_case"),
)

CASE_SEEDS: Final = Table(
    "case_seeds",
    METADATA,
    Column("case_id", BigInteger, nullable=False),
    Column("n", BigInteger, nullable=False),
    Column("kind", Text, nullable=False, comment="item, lot, place or person"),
    Column("subject", Text, nullable=False, comment="normal form, or a person's number"),
    Column("at_us", BigInteger, nullable=False, comment="when it was sampled"),
    Column("place", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("ct", Text, nullable=False, comment="decimal text"),
    Column("sample", Text, nullable=False, comment="kind of sample"),
    Column("status", Text, nullable=False),
    Column("origin", BigInteger, comment="the case that it came from"),
    PrimaryKeyConstraint("case_id", "n"),
)

CASE_RUNS: Final = Table(
    "case_runs",
    METADATA,
    Column("case_id", BigInteger, nullable=False),
    Column("trace", BigInteger, nullable=False, comment="traces.id, which has the parameters"),
    Column("log_size", BigInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("principal", Text, nullable=False),
    Column("listed", BigInteger, nullable=False, comment="how many persons"),
    PrimaryKeyConstraint("case_id", "trace"),
)

CASE_MEMBERS: Final = Table(
    "case_members",
    METADATA,
    Column("case_id", BigInteger, nullable=False),
    Column("person_no", BigInteger, nullable=False),
    Column("run", BigInteger, nullable=False, comment="the trace that gives the tier"),
    Column("tier", Text, nullable=False),
    Column("rank", BigInteger, nullable=False, comment="of the tier, the strongest lowest"),
    Column("status", Text, nullable=False),
    Column("origin", BigInteger, comment="the case that brought the person"),
    Column("reached_us", BigInteger),
    PrimaryKeyConstraint("case_id", "person_no"),
    Index("ix_case_members_person_no", "person_no"),
)

REVEALS: Final = Table(
    "reveals",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("case_id", BigInteger, nullable=False),
    Column("asked_us", BigInteger, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("persons", LargeBinary, nullable=False, comment="canonical list of numbers"),
    Column("digest", LargeBinary(32), nullable=False, comment="of the line list that it is about"),
    Column("until_us", BigInteger, nullable=False),
    Column("state", Text, nullable=False, comment="asked, approved, refused or released"),
    Column("decided_us", BigInteger),
    Column("decided_by", Text),
    Column("release_until_us", BigInteger),
    Column("released_us", BigInteger),
    Column("entries_from", BigInteger, comment="private entry about its first person; the others follow"),
    Index("ix_reveals_case_id", "case_id"),
)

TASKS: Final = Table(
    "tasks",
    METADATA,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("case_id", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject_kind", Text, nullable=False, comment="person, lot, item or place"),
    Column("subject", Text, nullable=False, comment="normal form, or a person's number"),
    Column("place", Text, nullable=False, comment="where a lot is that is meant there alone"),
    Column("tier", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("due_us", BigInteger, nullable=False),
    Column("ordinal", BigInteger, nullable=False, comment="whom to call first, from 1"),
    Column("state", Text, nullable=False, comment="open, assigned or closed"),
    Column("assignee", Text, comment="account:N"),
    Column("made_us", BigInteger, nullable=False),
    Column("escalated_us", BigInteger),
    Column("outcome", Text),
    Column("closed_us", BigInteger),
    Index("ix_tasks_case_id", "case_id"),
    Index("ix_tasks_assignee", "assignee", "state"),
    comment="Tasks as the events of their case make them: records.task_state.",
)

WEBHOOKS: Final = Table(
    "webhooks",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False, unique=True),
    Column("url", Text, nullable=False),
    Column("events", Text, nullable=False, comment="types of messages, sorted, separated by spaces"),
    Column("firm", Text, comment="the firm whose server it is; null for the authority's own"),
    Column("secret", LargeBinary, comment="under the key-encryption key, bound to the webhook; null once it has ended"),
    Column("secret_kek", Text, comment="that key: keks.id"),
    Column("created_us", BigInteger, nullable=False),
    Column("created_by", Text, nullable=False, comment="principal"),
    Column("ended_us", BigInteger),
    Column("delivered", BigInteger, nullable=False, comment="how many messages were taken"),
    Column("delivered_us", BigInteger, comment="when the last one was"),
    Column("failed", BigInteger, nullable=False, comment="attempts in a row that were not taken"),
    Column("error", Text, nullable=False, comment="why the last attempt was not, in our own words; empty if it was"),
    comment="Servers that are told what happens (docs/decisions/0823).",
)

WEBHOOK_MESSAGES: Final = Table(
    "webhook_messages",
    METADATA,
    Column("id", ID, primary_key=True, autoincrement=True),
    Column("webhook", ForeignKey("webhooks.id"), nullable=False),
    Column("name", Text, nullable=False, unique=True, comment="webhook-id: the same at every attempt"),
    Column("type", Text, nullable=False),
    Column("body", LargeBinary, nullable=False, comment="canonical JSON: numbers of tasks and cases, and no person"),
    Column("created_us", BigInteger, nullable=False),
    Column("state", Text, nullable=False, comment="waiting, delivered or dead"),
    Column("attempts", BigInteger, nullable=False),
    Column("next_us", BigInteger, comment="when it is tried next; null once it is delivered or dead"),
    Column("ended_us", BigInteger, comment="when it was delivered or given up"),
    Column("error", Text, nullable=False, comment="why the last attempt was not taken, in our own words"),
    Index("ix_webhook_messages_state", "state", "next_us"),
    Index("ix_webhook_messages_webhook", "webhook", "id"),
    comment="What is to be told, written with what it tells; forgotten some days after it was (docs/decisions/0823).",
)

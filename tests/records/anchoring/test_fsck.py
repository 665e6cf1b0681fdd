"""fsck finds what is altered: every column of every table, the database's bytes, the chain's bytes."""

import json
import random
import sqlite3
from contextlib import closing
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from sudonglian.chain import anchor_contract as ac
from sudonglian.chain import anchor_deployment as ad
from sudonglian.chain import canonical, merkle
from sudonglian.chain.embedded import EmbeddedNetwork
from sudonglian.chain.errors import SudonglianError
from sudonglian.chain.wallet import Wallet, checksum_address
from sudonglian.records import (
    accounts,
    anchor_succession,
    anchoring,
    api_keys,
    cases,
    jobs,
    log,
    reveals,
    sessions,
    tasks,
    traces,
    vault,
)
from sudonglian.records.anchor_work import AnchoringSettings
from sudonglian.records.deployment import OtherKey, open_deployment
from sudonglian.records.fsck import NOT_EVIDENCE, fsck
from sudonglian.records.fsck_records import TRACE_DOMAIN
from sudonglian.records.keys import ANCHOR_FILE, CONTENT_FILE, KEK_FILE, LOOKUP_FILE, NEXT_ANCHOR_FILE, Keys
from sudonglian.records.store import Store
from sudonglian.records.tables import METADATA
from sudonglian.trace.engine.result import DOMAIN

NOT_RECOMPUTABLE = {
    ("records", "captured_us"),
    ("pending", "queued_us"),
    ("pending", "id"),
    ("disclosures", "id"),
    ("chains", "lost_us"),
    ("anchors", "sent_us"),
    ("anchors", "updated_us"),
    ("anchor_attempts", "created_us"),
    ("checkpoints", "sealed_us"),
    ("signatures", "id"),
    ("signatures", "taken_us"),
    ("registrations", "created_us"),
}
"""Times of the operator's own book-keeping, kept to the microsecond: only what cannot be is found (decision 0602)."""


GONE = {
    "meta": "WHERE key NOT IN ('created_us', 'order')",
    "chains": "WHERE lost_us IS NULL",
    "anchors": "WHERE state != 'CHAIN_LOST'",
    "participants": "WHERE person_no IN (SELECT person_no FROM persons)",
    "key_proofs": "WHERE anchor IN (SELECT id FROM anchors WHERE state = 'FINAL')",
    "signatures": "WHERE fills IS NOT NULL",
    "registrations": "WHERE chain IN (SELECT id FROM chains WHERE lost_us IS NULL)",
}
"""Of these nothing is left, or anywhere else, to compare with (decision 0602)."""

UNACCOUNTED = {"registrations"}
"""Tables of which a missing row is not missed: the contract says which keys there are (decision 0602)."""


@pytest.fixture
def full(world: Any, admin: Wallet, firms: Any) -> Any:
    """A deployment with a row of every kind.

    Corrected, signed, erased, traced, anchored, lost, left for a successor with a foreign root in it, in flight, ordered, pending.
    """
    event = world.event
    world.settings = AnchoringSettings(admin=admin.address)
    (handed,) = world.capture(firms.handoff(30))
    world.capture(event(0), event(1), event(2))
    world.capture(event(3, type="TransformationEvent", transformationID="urn:x:t1", **transformation()))
    world.capture(
        {**event(0), "errorDeclaration": {"declarationTime": "2026-01-05T08:30:00+08:00", "reason": "incorrect_data"}}
    )
    world.seal()
    world.advance()
    world.network.close()
    for name in ("chain.db", "chain.db-wal", "chain.db-shm"):
        (world.folder / name).unlink(missing_ok=True)
    world.network = world.open_network()
    world.advance()
    with world.store.write() as connection:
        number = connection.execute(text("SELECT person_no FROM participants WHERE record_id = 3")).scalar_one()
        vault.erase(connection, world.keys, number, "asked for", world.clock())
    keep_a_trace(world)
    keep_a_case(world)
    firms.register(world, firms.sender)
    firms.register(world, firms.receiver)
    firms.take(world, firms.sender.sign(world, handed, "consignor", firms.receiver))
    world.seal()
    world.advance()
    firms.take(world, firms.receiver.sign(world, handed, "consignee", firms.sender))
    leave_the_contract(world, admin)
    world.advance()
    world.grow(2)
    world.until("signed")
    switched = anchor_succession.switch(world.work(admin), paused=True)
    assert switched.did == "order-signed"
    world.capture(event(20), {**event(21), "errorDeclaration": {"declarationTime": "2026-01-05T08:30:00+08:00"}})
    return world


def leave_the_contract(world: Any, admin: Wallet) -> None:
    """A stolen key: a foreign root in the contract, something on its way, and a successor."""
    world.grow()
    world.until("signed")
    chain, size = world.chain(), world.finals()[0].size
    with world.store.read() as connection:
        leaves = [merkle.leaf_hash(data) for _, data in log.entries(connection, 0, size)] + [b"\x13" * 32]
    data = ac.anchor_data(len(leaves), merkle.root(leaves), merkle.consistency_path(leaves, size))
    assert ad.execute(world.network, world.wallet, chain.contract, data, gas=ac.ANCHOR_GAS).status == 1
    world.admin, world.heir = admin, Wallet.generate()
    world.wallet.save(world.folder / "keys" / ANCHOR_FILE)
    world.heir.save(world.folder / "keys" / NEXT_ANCHOR_FILE)
    assert world.succeed()[-1] == "succeeded"
    for name in (ANCHOR_FILE, f"anchor-{Wallet.load(world.folder / 'keys' / ANCHOR_FILE).address.hex()}.key"):
        (world.folder / "keys" / name).unlink(missing_ok=True)


def transformation() -> dict[str, Any]:
    return {
        "inputQuantityList": [{"epcClass": "https://id.gs1.org/01/06901234000016/10/L7", "quantity": 1}],
        "outputQuantityList": [{"epcClass": "https://id.gs1.org/01/06901234000016/10/L8", "quantity": 1}],
        "epcList": None,
        "quantityList": None,
        "action": None,
    }


def keep_a_trace(world: Any) -> None:
    with world.store.write() as connection:
        number = traces.ask(connection, {"purpose": "test"}, {"seed": "x", "log_size": 0}, 0, world.clock())
    with world.store.write() as connection:
        traces.answer(connection, number, b"{}", sha256(TRACE_DOMAIN + b"{}").digest())


def keep_a_case(world: Any) -> None:
    """Two cases, of which one was merged into the other; a line list, of which the identities were shown."""
    ana, bo = (cases.Act(by, world.clock()) for by in ("account:1", "key:2"))
    document = canonical.encode({"members": [{"kind": "person", "id": "77", "tier": "close"}]})
    with world.store.write() as connection:
        told = {"purpose": "test", "basis": "law", "responsible": "Ana"}
        one, two = (cases.open_case(connection, ana, name=name, **told) for name in ("DL-1", "DL-2"))
        cases.add_seed(
            connection, two, ana, kind="item", subject="x", at=ana.now, result="positive", ct="31", sample="s"
        )
        number = traces.ask(connection, {"case": "1"}, {"seed": "x", "log_size": 0}, 0, ana.now, ana.by)
        traces.answer(connection, number, document, sha256(TRACE_DOMAIN + document).digest())
        cases.add_run(connection, one, ana, number, 0, [(77, "close", 0)])
        cases.merge(connection, one, two, ana, "one outbreak")
        reveal = reveals.ask(connection, one, ana, "call").number
        reveals.approve(connection, reveal, bo)
        reveals.release(connection, reveal, ana)
        wanted = tasks.Wanted("person", "77", "", "close", ana.now, 1)
        tasks.make(connection, cases.find(connection, one.number), ana, "contact", [wanted], area="A")


def check(world: Any) -> dict[str, Any]:
    return fsck(world.store, world.keys, world.network)


def test_everything_is_right(full: Any) -> None:
    report = check(full)
    assert report["ok"], report["faults"]
    for table in METADATA.tables.keys() - NOT_EVIDENCE:
        assert report["checked"].get(table), f"nothing of {table} was checked"
    assert report["checked"]["chain"] == 1
    assert fsck(full.store, full.keys, None)["ok"]


def test_the_trace_domain_is_that_of_the_tracing_room() -> None:
    assert TRACE_DOMAIN == DOMAIN


def altered(value: Any, dice: random.Random) -> Any:
    """One bit of a value, in the way that a disk would flip it."""
    if isinstance(value, bytes) and value:
        place = dice.randrange(len(value))
        return value[:place] + bytes([value[place] ^ 1 << dice.randrange(8)]) + value[place + 1 :]
    if isinstance(value, str) and value:
        place = dice.randrange(len(value))
        return value[:place] + chr(ord(value[place]) ^ 1 << dice.randrange(5)) + value[place + 1 :]
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value ^ 1 << dice.randrange(max(value.bit_length(), 1))
    return None


COLUMNS = [
    (table.name, column.name)
    for table in METADATA.sorted_tables
    if table.name not in NOT_EVIDENCE
    for column in table.columns
]


@pytest.mark.parametrize(
    ("offline", "many"),
    [
        pytest.param(False, 1, id="chain"),
        pytest.param(True, 1, marks=pytest.mark.full, id="offline"),
        pytest.param(False, 10, marks=pytest.mark.full, id="chain-many"),
    ],
)
def test_a_flipped_bit_in_any_column_of_any_row(full: Any, offline: bool, many: int) -> None:
    """Of each column, and of each type that its values have, so many rows; of most tables these are all."""
    dice = random.Random(7)
    network = None if offline else full.network
    unseen = []
    full.store.close()
    path = Path(full.store.url.database)
    for table, column in COLUMNS:
        kinds: dict[str, list[tuple[Any, ...]]] = {}
        with sqlite3.connect(path) as raw:
            for row in raw.execute(f'SELECT rowid, "{column}" FROM {table} {GONE.get(table, "")}'):
                kinds.setdefault(type(row[1]).__name__, []).append(row)
        raw.close()
        for number, value in (row for rows in kinds.values() for row in dice.sample(rows, min(many, len(rows)))):
            kept = path.read_bytes()
            with sqlite3.connect(path) as raw:
                raw.execute("PRAGMA foreign_keys = OFF")
                new = b"\x00" if value is None else altered(value, dice)
                try:
                    raw.execute(f'UPDATE {table} SET "{column}" = ? WHERE rowid = ?', (new, number))
                except sqlite3.IntegrityError:
                    continue
                finally:
                    raw.commit()
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            raw.close()
            store = Store(full.url)
            if fsck(store, full.keys, network)["ok"]:
                unseen.append((table, column, value, new))
            store.close()
            for tail in ("-wal", "-shm"):
                Path(f"{path}{tail}").unlink(missing_ok=True)
            path.write_bytes(kept)
    allowed = NOT_RECOMPUTABLE | (
        {("chains", name) for name in ("genesis", "deploy_tx", "deploy_block")} if offline else set()
    )
    left = [one for one in unseen if one[:2] not in allowed and not (offline and only_gas(*one[1:]))]
    assert not left, "\n".join(map(repr, left))


def only_gas(column: str, old: Any, new: Any) -> bool:
    """Whether two receipts differ in nothing but the gas that was used."""
    if column != "receipt" or old is None or new == b"\x00":
        return False
    one, other = (json.loads(raw) for raw in (old, new))
    return bool(one.pop("gas_used") != other.pop("gas_used") and one == other)


def test_a_row_that_is_gone_or_too_many(full: Any) -> None:
    full.store.close()
    path = Path(full.store.url.database)
    kept = path.read_bytes()
    unseen = []
    for table in METADATA.tables.keys() - NOT_EVIDENCE - UNACCOUNTED:
        for statement in (
            f"DELETE FROM {table} WHERE rowid = (SELECT min(rowid) FROM {table} {GONE.get(table, '')})",
            f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table} {GONE.get(table, '')})",
        ):
            with sqlite3.connect(path) as raw:
                raw.execute(statement)
                raw.commit()
            raw.close()
            store = Store(full.url)
            if fsck(store, full.keys, full.network)["ok"]:
                unseen.append(statement)
            store.close()
            for tail in ("-wal", "-shm"):
                Path(f"{path}{tail}").unlink(missing_ok=True)
            path.write_bytes(kept)
    assert unseen == []


def test_random_bytes_of_the_database_file(full: Any) -> None:
    full.store.close()
    path = Path(full.store.url.database)
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    kept = path.read_bytes()
    dice = random.Random(11)
    for _ in range(25):
        start = dice.randrange(len(kept) - 64)
        path.write_bytes(kept[:start] + dice.randbytes(64) + kept[start + 64 :])
        store = Store(full.url)
        report = fsck(store, full.keys, full.network)
        store.close()
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as raw:
            try:
                changed = list(raw.iterdump()) != dumped(kept, path.parent)
            except (sqlite3.Error, UnicodeDecodeError):
                changed = True
        raw.close()
        # Bytes of free space, of page headers that SQLite ignores, or of no meaning may be anything.
        assert not report["ok"] or not changed or only_bookkeeping(kept, path), start
        for tail in ("-wal", "-shm"):
            Path(f"{path}{tail}").unlink(missing_ok=True)
    path.write_bytes(kept)


def dumped(data: bytes, folder: Path) -> list[str]:
    copy = folder / "copy.db"
    copy.write_bytes(data)
    with sqlite3.connect(copy) as raw:
        lines = list(raw.iterdump())
    raw.close()
    copy.unlink()
    return lines


def only_bookkeeping(kept: bytes, path: Path) -> bool:
    """Whether two files differ in nothing but columns that cannot be recomputed."""

    def shown(data: bytes) -> list[Any]:
        copy = path.parent / "copy.db"
        copy.write_bytes(data)
        found: list[Any] = []
        with sqlite3.connect(copy) as raw:
            for table, column in COLUMNS:
                if (table, column) not in NOT_RECOMPUTABLE:
                    found.append(raw.execute(f'SELECT "{column}" FROM {table} ORDER BY rowid').fetchall())
        raw.close()
        copy.unlink()
        return found

    return shown(kept) == shown(path.read_bytes())


def test_a_flipped_bit_in_every_page_of_the_chain_file(full: Any) -> None:
    assert isinstance(full.network, EmbeddedNetwork)
    full.network.copy_to(full.folder / "kept.db")
    full.network.close()
    path = full.folder / "chain.db"
    for tail in ("-wal", "-shm"):
        Path(f"{path}{tail}").unlink(missing_ok=True)
    kept = (full.folder / "kept.db").read_bytes()
    with sqlite3.connect(full.folder / "kept.db") as raw:
        values = [value for (value,) in raw.execute("SELECT v FROM kv WHERE length(v) >= 32 ORDER BY length(v), v")]
    raw.close()
    # Where rows are, so that every one of these says something else than was written: elsewhere in a page is room
    # that no row uses.
    parts = [value[at : at + 32] for value in values for at in range(0, len(value) - 31, 32)]
    size = int.from_bytes(kept[16:18], "big")
    dice = random.Random(13)
    dice.shuffle(parts)
    places = sorted({(found := kept.index(part)) // size: found for part in parts if kept.count(part) == 1}.values())
    assert len(places) >= len(kept) // size // 2, "pages of keys and of the tree hold no values"
    unseen = []
    for start in places:
        at = start + dice.randrange(32)
        path.write_bytes(kept[:at] + bytes([kept[at] ^ 1 << dice.randrange(8)]) + kept[at + 1 :])
        try:
            with closing(full.open_network()) as network:
                if fsck(full.store, full.keys, network)["ok"]:
                    unseen.append(start)
        except SudonglianError:
            continue
    path.write_bytes(kept)
    full.network = full.open_network()
    assert fsck(full.store, full.keys, full.network)["ok"]
    assert unseen == []


def test_another_key_folder(full: Any, tmp_path: Path) -> None:
    other = Keys.open(tmp_path / "other", create=True, origin=full.keys.origin)
    report = fsck(full.store, other, None)
    codes = {one["code"] for one in report["faults"]}
    assert {"meta", "checkpoint"} <= codes


@pytest.mark.parametrize("name", [CONTENT_FILE, LOOKUP_FILE, KEK_FILE])
def test_one_key_file_that_is_another(full: Any, name: str) -> None:
    path = full.folder / "keys" / name
    kept = path.read_text()
    path.write_text(("0" if kept[0] != "0" else "1") + kept[1:])
    other = Keys.open(full.folder / "keys")
    with pytest.raises(OtherKey) as refused:
        open_deployment(full.store, other)
    assert refused.value.place == str(path)
    found = [one for one in fsck(full.store, other, None)["faults"] if one["code"] == "other-key"]
    assert [one["place"] for one in found] == [str(path)]


def test_a_database_of_before_the_check_values_gets_them(full: Any, tmp_path: Path) -> None:
    with full.store.write() as connection:
        connection.execute(text("DELETE FROM meta WHERE key LIKE 'key_check:%'"))
    assert check(full)["ok"]
    open_deployment(full.store, full.keys)
    with full.store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM meta WHERE key LIKE 'key_check:%'")).scalar_one() == 2
    assert check(full)["ok"]


def test_an_anchoring_key_that_the_contract_does_not_know(full: Any) -> None:
    path = full.folder / "keys" / ANCHOR_FILE
    full.wallet.save(path)
    report = check(full)
    assert report["ok"]
    assert report["checked"]["anchor_key"] == 1
    path.unlink()
    other = Wallet.create(path)
    (fault,) = check(full)["faults"]
    assert (fault["code"], fault["place"]) == ("anchor-key", str(path))
    assert checksum_address(other.address) in fault["detail"]
    with full.store.read() as connection:
        assert anchoring.status(connection, full.network, address=other.address)["chain"]["may_anchor"] is False
        assert anchoring.status(connection, full.network, address=full.wallet.address)["chain"]["may_anchor"] is True
    path.write_text("no key\n")
    assert [one["place"] for one in check(full)["faults"]] == [str(path)]


def test_not_a_database(full: Any, tmp_path: Path) -> None:
    (tmp_path / "no.db").write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    report = fsck(Store(f"sqlite:///{tmp_path / 'no.db'}"), full.keys, None)
    assert not report["ok"]
    assert fsck(Store(f"sqlite:///{tmp_path / 'empty.db'}"), full.keys, None)["faults"][0]["code"] == "table-missing"


@pytest.fixture
def knocked(world: Any) -> Any:
    """A deployment with API keys, and jobs in every state."""
    later = world.now + timedelta(days=1)
    world.grow()
    with world.store.write() as connection:
        key, _ = api_keys.create(connection, "x", ["trace", "operate"], world.clock(), expires=later)
        api_keys.revoke(connection, key.prefix, world.clock())
        key, _ = api_keys.create(connection, "y", ["capture"], world.clock(), submitter="urn:x:firm")
        account, _ = accounts.invite(connection, "wang", ["auditor"], world.clock())
        sessions.begin(connection, account.id, world.clock())
        states: tuple[jobs.State, ...] = ("success", "failed")
        for number, state in enumerate(states):
            jobs.add(connection, f"key:{key.id}", "capture", b"{}", world.clock(), state=state, result=b"{}")
            jobs.add(
                connection,
                f"key:{key.id}",
                "trace",
                b'{"a":1}',
                world.clock(),
                idempotency_key=f"k{number}",
                request_mac=b"m" * 32,
            )
        running = jobs.claim(connection, world.clock())
        assert running is not None
        done = jobs.claim(connection, world.clock())
        assert done is not None
        jobs.finish(connection, done, "success", b"{}", world.clock(), b"<graph/>")
    assert fsck(world.store, world.keys, None)["ok"]
    return world


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE api_keys SET prefix = 'sdl_' || upper(substr(prefix, 5)) || 'A'",
        "UPDATE api_keys SET token_hash = substr(token_hash, 2)",
        "UPDATE api_keys SET scopes = 'trace operate'",
        "UPDATE api_keys SET scopes = 'Trace'",
        "UPDATE api_keys SET scopes = ''",
        "UPDATE api_keys SET expires_us = created_us - 1",
        "UPDATE api_keys SET created_us = 5",
        "UPDATE api_keys SET revoked_us = 5",
        "UPDATE jobs SET name = upper(name)",
        "UPDATE jobs SET kind = 'tracf'",
        "UPDATE jobs SET state = 'running' WHERE state = 'success'",
        "UPDATE jobs SET state = 'queued' WHERE state = 'running'",
        "UPDATE jobs SET state = 'succesr' WHERE state = 'success'",
        "UPDATE jobs SET request_mac = NULL",
        "UPDATE jobs SET request_mac = x'00' WHERE request_mac IS NOT NULL",
        "UPDATE jobs SET idempotency_key = NULL",
        "UPDATE jobs SET lease_us = NULL",
        "UPDATE jobs SET finished_us = NULL",
        "UPDATE jobs SET finished_us = 5 WHERE finished_us IS NOT NULL",
        "UPDATE jobs SET created_us = 5",
        "UPDATE jobs SET asked = x'7b7b'",
        "UPDATE jobs SET asked = CAST('{ }' AS BLOB)",
        "UPDATE jobs SET result = NULL",
        "UPDATE jobs SET result = x'7b' WHERE result IS NOT NULL",
        "UPDATE jobs SET graph = x'00' WHERE state = 'failed'",
        "UPDATE jobs SET owner = 'key:77'",
        "UPDATE api_keys SET account = 77",
        "UPDATE accounts SET roles = 'operator auditor'",
        "UPDATE accounts SET password_hash = 'plain'",
        "UPDATE accounts SET totp_step = 5",
        "UPDATE accounts SET recovery = 'plain'",
        "UPDATE accounts SET invite_until_us = NULL WHERE invite_hash IS NOT NULL",
        "UPDATE accounts SET failed = -1",
        "UPDATE accounts SET ends_us = 5",
        "UPDATE accounts SET created_us = 5",
        "UPDATE sessions SET token_hash = substr(token_hash, 2)",
        "UPDATE sessions SET expires_us = 5",
        "UPDATE sessions SET idle_us = 0",
        "UPDATE sessions SET seen_us = 5",
        "UPDATE sessions SET account = 77",
    ],
)
def test_what_is_never_written_about_keys_and_jobs(knocked: Any, statement: str) -> None:
    knocked.store.close()
    with sqlite3.connect(knocked.store.url.database) as raw:
        raw.execute("PRAGMA foreign_keys = OFF")
        assert raw.execute(statement).rowcount
        raw.commit()
    raw.close()
    faults = fsck(knocked.store, knocked.keys, None)["faults"]
    assert {one["place"].partition("/")[0] for one in faults} <= {"accounts", "api_keys", "jobs", "sessions"}
    assert faults, statement

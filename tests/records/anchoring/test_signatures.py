"""Signatures from a party's key to an auditor's verdict: registered, signed, taken, logged, anchored, proven."""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from sudonglian.chain import anchor_contract, canonical, slots, trust
from sudonglian.chain import bundle as bundles_of
from sudonglian.chain.errors import SudonglianError
from sudonglian.chain.network import AccountProof, NetworkUnreachable
from sudonglian.chain.secp256k1 import SignatureRefused
from sudonglian.chain.trust_from_node import merge, trust_from
from sudonglian.chain.verify import verify
from sudonglian.chain.wallet import Wallet
from sudonglian.records import anchoring, fsck, signatures, vault
from sudonglian.records import confirmation as confirmations
from sudonglian.records.anchor_chain import FinalProofRefused
from sudonglian.records.backup import backup, restore
from sudonglian.records.bundles import make_bundle
from sudonglian.records.errors import UnknownRecord
from sudonglian.records.identities import identity
from sudonglian.records.tables import KEY_PROOFS, SIGNATURES

LOT = "https://id.gs1.org/01/06901234000016/10/L7"


def _second() -> Any:
    path = Path(__file__).resolve().parents[2] / "second_verifier.py"
    spec = spec_from_file_location("sudonglian_tests_second_verifier_for_records", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


SECOND = _second()


@pytest.fixture(
    params=[
        "world",
        pytest.param("postgres_world", marks=pytest.mark.postgres),
        pytest.param("anvil_world", marks=pytest.mark.anvil),
    ]
)
def anywhere(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def trusted(world: Any) -> bytes:
    chain = world.chain()
    return json.dumps(
        trust_from(world.network, chain.contract, world.keys.log.verifier_key, chain.deploy_block)
    ).encode()


def bundle(world: Any, record: bytes | None, **more: Any) -> bytes:
    with world.store.read() as connection:
        made: bytes = make_bundle(connection, world.keys, record, **more)[0]
    return made


def judged(data: bytes, held: bytes) -> tuple[str, str]:
    """What both verifiers say."""
    mine, theirs = verify(data, trust.parse(held)), SECOND.verify(data, held)
    assert (mine.verdict, mine.confirmation, mine.completeness) == (
        theirs["verdict"],
        theirs["confirmation"],
        theirs["completeness"],
    ), mine.steps
    return mine.verdict, mine.confirmation


def refused(world: Any, firms: Any, raw: bytes) -> str:
    before = len(rows(world))
    with pytest.raises(SudonglianError) as refusal:
        firms.take(world, raw)
    assert len(rows(world)) == before
    return refusal.value.slug


def rows(world: Any) -> list[Any]:
    with world.store.read() as connection:
        return list(connection.execute(select(SIGNATURES).order_by(SIGNATURES.c.id)))


def confirmation(world: Any, record: bytes) -> str:
    with world.store.read() as connection:
        return confirmations.of(connection, [record])[record]


def finish(world: Any, firms: Any) -> None:
    world.seal()
    firms.settle(world)


def sound(world: Any) -> None:
    report = fsck.fsck(world.store, world.keys, world.network)
    assert report["ok"], report["faults"]


def test_one_side_then_the_other(anywhere: Any, firms: Any) -> None:
    world = anywhere
    firms.open(world)
    (record,) = world.capture(firms.handoff(900))
    one = firms.sender.sign(world, record, "consignor", firms.receiver)
    taken = firms.take(world, one)
    assert (taken.role, taken.party, taken.log_index) == ("consignor", firms.sender.party, None)
    assert confirmation(world, record) == "consignor"
    finish(world, firms)
    held = trusted(world)
    assert judged(bundle(world, record), held) == ("VALID", "consignor")
    firms.take(world, firms.receiver.sign(world, record, "consignee", firms.sender))
    assert confirmation(world, record) == "both"
    assert judged(bundle(world, record), held) == ("VALID", "consignor")
    finish(world, firms)
    whole = json.loads(trusted(world))
    held = json.dumps(merge(held, whole)).encode()
    data = bundle(world, record)
    assert judged(data, held) == ("VALID", "both")
    sizes = [proof.anchor.size for proof in bundles_of.parse(data).records[0].signatures]
    assert sizes == sorted(set(sizes)), "each under the first anchor that covers it"
    assert judged(bundle(world, None, lot=LOT), held)[0] == "VALID"
    sound(world)


def test_a_lot_is_confirmed_as_far_as_all_its_records_are(world: Any, firms: Any) -> None:
    lot = "https://id.gs1.org/01/06901234000016/10/L9"
    firms.open(world)
    first, second = world.capture(
        *(firms.handoff(number, quantityList=[{"epcClass": lot, "quantity": 1}], epcList=[]) for number in (900, 901))
    )
    for record in (first, second):
        firms.take(world, firms.sender.sign(world, record, "consignor", firms.receiver))
    firms.take(world, firms.receiver.sign(world, first, "consignee", firms.sender))
    finish(world, firms)
    assert judged(bundle(world, None, lot=lot), trusted(world)) == ("VALID", "consignor")
    firms.take(world, firms.receiver.sign(world, second, "consignee", firms.sender))
    finish(world, firms)
    assert judged(bundle(world, None, lot=lot), trusted(world)) == ("VALID", "both")


def test_a_flipped_byte_never_passes(world: Any, firms: Any) -> None:
    firms.open(world)
    (record,) = world.capture(firms.handoff(900))
    firms.take(world, firms.sender.sign(world, record, "consignor", firms.receiver))
    firms.take(world, firms.receiver.sign(world, record, "consignee", firms.sender))
    finish(world, firms)
    data, held = bundle(world, record), trusted(world)
    assert judged(data, held) == ("VALID", "both")
    parsed = trust.parse(held)
    begin = data.index(b'"signatures"')
    for place in (*range(begin, len(data), 23), *range(0, begin, 41)):
        altered = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        assert verify(altered, parsed).verdict != "VALID", place
        if place % 5 == 0:
            assert SECOND.verify(altered, held)["verdict"] != "VALID", place


def test_signatures_swapped_between_bundles(world: Any, firms: Any) -> None:
    firms.open(world)
    records = world.capture(firms.handoff(900), firms.handoff(901))
    for record in records:
        firms.take(world, firms.sender.sign(world, record, "consignor", firms.receiver))
    finish(world, firms)
    held = trusted(world)
    one, other = (json.loads(bundle(world, record)) for record in records)
    one["records"][0]["signatures"] = other["records"][0]["signatures"]
    assert judged(canonical.encode(one), held) == ("INVALID", "unsigned")


def test_what_is_refused_by_name(anywhere: Any, firms: Any) -> None:
    world = anywhere
    (record, other, unnamed) = world.capture(
        firms.handoff(900), firms.handoff(901), firms.handoff(902, sourceList=None)
    )
    good = firms.sender.sign(world, record, "consignor", firms.receiver)
    assert refused(world, firms, good) == "no-registry"
    firms.open(world)
    now = world.network.block(world.network.head()).timestamp
    ended, soon, gone, sends = (type(firms.sender)(firms.sender.uri, bytes([n]) * 32) for n in (11, 12, 13, 14))
    firms.register(world, ended, end=now)
    firms.register(world, soon, start=now + 10**8)
    firms.register(world, gone)
    firms.call(world, anchor_contract.revoke_data(gone.address))
    firms.register(world, sends, roles=2)
    firms.register(world, firms.stranger)

    def by(firm: Any, at: bytes = record, role: str = "consignor", names: Any = firms.receiver) -> str:
        return refused(world, firms, firm.sign(world, at, role, names))

    nobody = type(firms.sender)(firms.sender.uri, b"\x09" * 32)
    assert by(nobody) == "party-key-unknown"
    assert by(ended) == "party-key-expired"
    assert by(soon) == "party-key-not-yet"
    assert by(gone) == "party-key-revoked"
    assert by(sends) == "party-key-role"
    assert by(firms.sender, at=b"\x05" * 32) == "unknown-record"
    assert by(firms.stranger) == "signature-party"
    assert by(firms.sender, names=firms.stranger) == "signature-party"
    assert by(firms.receiver, role="consignor", names=firms.sender) == "signature-party"
    assert by(firms.sender, at=unnamed, names=firms.sender) == "signature-counterparty"
    firms.take(world, good)
    again = firms.sender.sign(world, record, "consignor", firms.receiver, at=1_767_573_068)
    assert refused(world, firms, again) == "signature-role-filled"
    assert firms.take(world, good).id == rows(world)[0].id
    assert len(rows(world)) == 1
    # Where the record does not name its parties, the two signatures must name each other.
    firms.take(world, firms.sender.sign(world, unnamed, "consignor", firms.receiver))
    assert by(firms.stranger, at=unnamed, role="consignee", names=firms.sender) == "signature-counterparty"
    assert by(firms.receiver, at=unnamed, role="consignee", names=firms.stranger) == "signature-counterparty"
    firms.take(world, firms.receiver.sign(world, unnamed, "consignee", firms.sender))
    assert confirmation(world, unnamed) == "both"
    assert confirmation(world, other) == "unsigned"
    sound(world)


def test_a_rotated_key(world: Any, firms: Any) -> None:
    firms.open(world)
    (one, two) = world.capture(firms.handoff(900), firms.handoff(901))
    new = type(firms.sender)(firms.sender.uri, b"\x0b" * 32)
    assert refused(world, firms, new.sign(world, one, "consignor", firms.receiver)) == "party-key-unknown"
    firms.take(world, firms.sender.sign(world, one, "consignor", firms.receiver))
    finish(world, firms)
    firms.call(world, anchor_contract.rotate_data(firms.sender.address, new.address, 2**64 - 1))
    assert refused(world, firms, firms.sender.sign(world, two, "consignor", firms.receiver)) == "party-key-expired"
    firms.take(world, new.sign(world, two, "consignor", firms.receiver))
    finish(world, firms)
    held = trusted(world)
    assert judged(bundle(world, one), held) == ("VALID", "consignor")
    assert judged(bundle(world, two), held) == ("VALID", "consignor")
    sound(world)


@pytest.mark.parametrize(
    "change",
    [lambda value: value | {"sig": "00" * 65}, lambda value: value | {"signed_at": value["signed_at"] + 1},
     lambda value: value | {"role": "carrier"}, lambda value: value | {"v": "x"}, lambda value: [], lambda value: {}],
)  # fmt: skip
def test_form_and_maker(world: Any, firms: Any, change: Callable[[Any], Any]) -> None:
    value = json.loads(firms.sender.sign(world, b"\x01" * 32, "consignor", firms.receiver))
    with pytest.raises(SignatureRefused):
        signatures.read(json.dumps(change(value)).encode(), world.keys.origin)
    with pytest.raises(SignatureRefused):
        signatures.read(json.dumps(value).encode(), "another.example/log")
    for raw in (b"", b"{", b"\xff", b"x" * 5_000):
        with pytest.raises(SignatureRefused):
            signatures.read(raw, world.keys.origin)


def test_a_node_that_is_away_takes_nothing(world: Any, firms: Any) -> None:
    firms.open(world)
    (record,) = world.capture(firms.handoff(900))
    raw = firms.sender.sign(world, record, "consignor", firms.receiver)
    inner = world.network

    class Away:
        def __getattr__(self, name: str) -> Any:
            raise NetworkUnreachable("no answer")

    world.network = Away()
    with pytest.raises(NetworkUnreachable):
        firms.take(world, raw)
    world.network = inner
    assert not rows(world)
    firms.take(world, raw)


def test_many_sign_the_same_role_at_once(anywhere: Any, firms: Any) -> None:
    world = anywhere
    firms.open(world)
    (record,) = world.capture(firms.handoff(900))
    raws = [firms.sender.sign(world, record, "consignor", firms.receiver, at=n) for n in range(6)]
    said: list[str] = []

    def work(raw: bytes) -> None:
        try:
            firms.take(world, raw)
            said.append("taken")
        except SudonglianError as error:
            said.append(error.slug)

    threads = [Thread(target=work, args=(raw,)) for raw in raws]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["signature-role-filled"] * 5 + ["taken"]
    assert len(rows(world)) == 1
    finish(world, firms)
    sound(world)


def test_the_table_itself_holds_one_signature_a_role(world: Any, firms: Any) -> None:
    firms.open(world)
    (record,) = world.capture(firms.handoff(900))
    firms.take(world, firms.sender.sign(world, record, "consignor", firms.receiver))
    other = {**rows(world)[0]._mapping, "id": None, "digest": b"\x07" * 32}
    with pytest.raises(SudonglianError, match="UNIQUE"), world.store.write() as connection:
        connection.execute(insert(SIGNATURES).values(other))


def test_a_key_revoked_before_its_anchor_leaves_the_role_open(anywhere: Any, firms: Any) -> None:
    world = anywhere
    firms.open(world)
    (record,) = world.capture(firms.handoff(900))
    stolen = firms.sender.sign(world, record, "consignor", firms.receiver)
    firms.take(world, stolen)
    firms.call(world, anchor_contract.revoke_data(firms.sender.address))
    assert confirmation(world, record) == "consignor"
    finish(world, firms)
    (void,) = firms.of(world, record)
    assert (void.fills, confirmation(world, record)) == (None, "unsigned")
    assert void.log_index is not None, "it stays in the log"
    held = trusted(world)
    assert judged(bundle(world, record), held) == ("VALID", "unsigned")
    assert firms.take(world, stolen) == void
    sound(world)
    # The party's other key signs; whoever stole the first one has not spoilt the record.
    new = type(firms.sender)(firms.sender.uri, b"\x0c" * 32)
    firms.register(world, new)
    firms.take(world, new.sign(world, record, "consignor", firms.receiver))
    finish(world, firms)
    assert judged(bundle(world, record), trusted(world)) == ("VALID", "consignor")
    sound(world)


def test_a_key_revoked_after_its_anchor_still_counts(world: Any, firms: Any) -> None:
    firms.open(world)
    (record,) = world.capture(firms.handoff(900))
    firms.take(world, firms.sender.sign(world, record, "consignor", firms.receiver))
    finish(world, firms)
    firms.call(world, anchor_contract.revoke_data(firms.sender.address))
    world.grow()
    world.advance()
    assert judged(bundle(world, record), trusted(world)) == ("VALID", "consignor")
    sound(world)


def test_a_lost_chain_takes_its_registry_with_it(world: Any, firms: Any) -> None:
    firms.open(world)
    (record,) = world.capture(firms.handoff(900))
    firms.take(world, firms.sender.sign(world, record, "consignor", firms.receiver))
    finish(world, firms)
    before, held = bundle(world, record), trusted(world)
    world.network.close()
    for name in ("chain.db", "chain.db-wal", "chain.db-shm"):
        (world.folder / name).unlink(missing_ok=True)
    world.network = world.open_network()
    other = firms.receiver.sign(world, record, "consignee", firms.sender)
    assert refused(world, firms, other) == "no-registry"
    world.advance()
    assert judged(before, held) == ("VALID", "consignor")
    assert confirmation(world, record) == "unsigned"
    held = json.dumps(merge(held, json.loads(trusted(world)))).encode()
    assert judged(bundle(world, record), held) == ("VALID", "unsigned")
    assert refused(world, firms, other) == "party-key-unknown"
    sound(world)
    firms.register(world, firms.sender)
    firms.register(world, firms.receiver)
    firms.take(world, other)
    firms.take(world, firms.sender.sign(world, record, "consignor", firms.receiver, at=1_800_000_000))
    finish(world, firms)
    assert judged(bundle(world, record), trusted(world)) == ("VALID", "both")
    sound(world)


@pytest.mark.anvil
def test_a_reorganisation_takes_the_proofs_with_it(anvil_world: Any, firms: Any) -> None:
    world, rpc = anvil_world, anvil_world.network._ask
    firms.open(world)
    (record,) = world.capture(firms.handoff(900))
    new = type(firms.sender)(firms.sender.uri, b"\x0b" * 32)
    before = rpc("evm_snapshot")
    firms.register(world, new)
    firms.take(world, new.sign(world, record, "consignor", firms.receiver))
    finish(world, firms)
    first = world.finals()[0]
    assert judged(bundle(world, record), trusted(world)) == ("VALID", "consignor")
    assert rpc("evm_revert", before)
    rpc("evm_increaseTime", 1_000)
    with pytest.raises(anchoring.FinalityBroken):
        world.step()
    assert anchoring.accept_reorg(world.store, world.network, world.clock()) == 1
    with world.store.read() as connection:
        assert not connection.execute(select(KEY_PROOFS).where(KEY_PROOFS.c.anchor == first.id)).all()
    assert not bundles_of.parse(bundle(world, record)).records[0].signatures
    # The anchor's nonce lies behind that of the registration, which was replaced too and is sent again.
    firms.settle(world)
    assert world.finals()[0].block_hash != first.block_hash
    assert judged(bundle(world, record), trusted(world)) == ("VALID", "consignor")
    sound(world)


@pytest.mark.anvil
def test_a_reorganisation_without_the_registration(anvil_world: Any, firms: Any) -> None:
    world, rpc = anvil_world, anvil_world.network._ask
    firms.open(world)
    (record,) = world.capture(firms.handoff(900))
    registrar = Wallet.generate()
    firms.fund(world.network, registrar)
    grant = anchor_contract.calldata("grantRole(bytes32,address)", anchor_contract.ROLE_REGISTRAR, registrar.address)
    firms.call(world, grant)
    new = type(firms.sender)(firms.sender.uri, b"\x0b" * 32)
    before = rpc("evm_snapshot")
    data = anchor_contract.register_data(new.address, new.party, 0, 2**64 - 1, 3)
    firms.call(world, data, registrar=registrar, party=new.uri)
    firms.take(world, new.sign(world, record, "consignor", firms.receiver))
    finish(world, firms)
    assert confirmation(world, record) == "consignor"
    assert rpc("evm_revert", before)
    anchoring.accept_reorg(world.store, world.network, world.clock())
    firms.settle(world)
    assert confirmation(world, record) == "unsigned"
    assert judged(bundle(world, record), trusted(world)) == ("VALID", "unsigned")
    sound(world)
    firms.take(world, firms.sender.sign(world, record, "consignor", firms.receiver))
    finish(world, firms)
    assert judged(bundle(world, record), trusted(world)) == ("VALID", "consignor")
    sound(world)


def test_a_node_whose_proof_is_of_another_key(world: Any, firms: Any) -> None:
    firms.open(world)
    (record,) = world.capture(firms.handoff(900))
    firms.take(world, firms.sender.sign(world, record, "consignor", firms.receiver))
    world.seal()
    world.until("mined")
    (stored,) = firms.of(world, record)
    inner = world.network

    class Swaps:
        def proof(self, address: bytes, asked: Any, number: int) -> Any:
            if len(asked) == 1:
                return inner.proof(address, asked, number)
            found = inner.proof(address, slots.party_slots(firms.receiver.address), number)
            theirs = zip(asked, found.storage, strict=True)
            return AccountProof(found.account_proof, tuple((slot, value, nodes) for slot, (_, value, nodes) in theirs))

        def __getattr__(self, name: str) -> Any:
            return getattr(inner, name)

    world.network = Swaps()
    with pytest.raises(FinalProofRefused):
        world.step()
    world.network = inner
    world.advance()
    assert firms.of(world, record) == [stored]


def test_what_waits_for_confirmation(anywhere: Any, firms: Any) -> None:
    world = anywhere
    firms.open(world)

    def waiting() -> int:
        with world.store.read() as connection:
            return confirmations.unconfirmed(connection)

    assert waiting() == 0, "records that name no parties are no handoffs"
    both, one, none, taken_back = world.capture(*(firms.handoff(number) for number in (900, 901, 902, 903)))
    world.capture(firms.handoff(904, bizStep="receiving"))
    assert waiting() == 4
    firms.take(world, firms.sender.sign(world, both, "consignor", firms.receiver))
    firms.take(world, firms.sender.sign(world, one, "consignor", firms.receiver))
    assert waiting() == 4
    firms.take(world, firms.receiver.sign(world, both, "consignee", firms.sender))
    assert waiting() == 3
    declared = {"declarationTime": "2026-01-05T08:30:00+08:00", "reason": "incorrect_data"}
    world.capture(firms.handoff(903, errorDeclaration=declared))
    assert waiting() == 2
    finish(world, firms)
    assert waiting() == 2
    sound(world)
    with world.store.read() as connection:
        found = confirmations.brief(connection, [both, one, none, taken_back])
    assert [(it["is_handoff"], it["confirmation"]) for it in found] == [
        (True, "both"), (True, "consignor"), (True, "unsigned"), (True, "unsigned")
    ]  # fmt: skip


def test_states_of_a_signature(world: Any, firms: Any) -> None:
    firms.open(world)
    (record,) = world.capture(firms.handoff(900))
    taken = firms.take(world, firms.sender.sign(world, record, "consignor", firms.receiver))

    def state() -> Any:
        with world.store.read() as connection:
            found = signatures.find(connection, taken.digest)
            assert found is not None
            return confirmations.state_of(connection, found)

    assert state() == ("waiting", None)
    size = world.seal().size
    assert state() == ("logged", None)
    world.until("mined")
    assert state() == ("logged", None)
    world.advance()
    assert state() == ("proven", size)


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("DELETE FROM signatures", "signature-missing"),
        ("UPDATE signatures SET fills = NULL", "signature-counts"),
        ("UPDATE signatures SET role = 'consignee', fills = 'consignee'", "signature"),
        ("UPDATE signatures SET log_index = log_index - 1", "signature-entry"),
        ("DELETE FROM key_proofs", "key-proof"),
        ("UPDATE key_proofs SET party_proof = NULL, window_proof = NULL", "signature-counts"),
        ("UPDATE key_proofs SET party_proof = window_proof", "final-proof"),
        (
            "UPDATE registrations SET party = 'https://id.gs1.org/417/9520001001031' WHERE rowid = 1",
            "registration-party",
        ),
        ("UPDATE handoffs SET consignor = consignee", "handoff"),
        ("UPDATE handoffs SET taken_back = true", "handoff"),
    ],
)
def test_what_fsck_says_of_altered_signatures(world: Any, firms: Any, statement: str, code: str) -> None:
    firms.open(world)
    (record,) = world.capture(firms.handoff(900))
    firms.take(world, firms.sender.sign(world, record, "consignor", firms.receiver))
    finish(world, firms)
    sound(world)
    with world.store.write() as connection:
        connection.execute(text(statement))
    faults = fsck.fsck(world.store, world.keys, world.network)["faults"]
    assert code in {one["code"] for one in faults}, faults


@pytest.mark.parametrize("kind", ["world", pytest.param("postgres_world", marks=pytest.mark.postgres)])
def test_a_backup_brings_signatures_back(request: pytest.FixtureRequest, kind: str, firms: Any) -> None:
    world = request.getfixturevalue(kind)
    firms.open(world)
    (record,) = world.capture(firms.handoff(900))
    firms.take(world, firms.sender.sign(world, record, "consignor", firms.receiver))
    finish(world, firms)
    data = bundle(world, record)
    backup(world.store, world.keys, world.network, world.folder / "backup")
    with world.store.write() as connection:
        for table in ("key_proofs", "signatures", "registrations"):
            connection.execute(text(f"DELETE FROM {table}"))
    world.close()
    restore(world.folder / "backup", world.url, world.folder / "keys", world.folder / "chain.db", force=True)
    fresh = world.reopen()
    world.store, world.network = fresh.store, fresh.network
    assert bundle(world, record) == data
    firms.take(world, firms.receiver.sign(world, record, "consignee", firms.sender))
    finish(world, firms)
    assert judged(bundle(world, record), trusted(world)) == ("VALID", "both")
    sound(world)


def test_an_erasure_leaves_signatures_alone(world: Any, firms: Any) -> None:
    firms.open(world)
    (record,) = world.capture(firms.handoff(900))
    firms.take(world, firms.sender.sign(world, record, "consignor", firms.receiver))
    finish(world, firms)
    who = identity("phone", "19900000900", "")
    with world.store.write() as connection:
        number = vault.find(connection, world.keys, who)
        assert number is not None
        vault.erase(connection, world.keys, number, "asked for", world.clock())
    finish(world, firms)
    assert judged(bundle(world, record), trusted(world)) == ("VALID", "consignor")
    sound(world)


TAKES = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from sudonglian.api.signing import add_signature
from sudonglian.chain.embedded import EmbeddedNetwork
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

folder, url = Path(sys.argv[1]), sys.argv[2]
store, keys = Store(url), Keys.open(folder / "keys")
network = EmbeddedNetwork(folder / "chain.db", max_lead_s=10**9)
for line in sys.stdin:
    done = add_signature(store, keys, lambda: network, line.strip().encode(), lambda: datetime.now(UTC))
    print(done.document["digest"], flush=True)
"""


def test_what_was_acknowledged_survives_a_kill(world: Any, firms: Any) -> None:
    firms.open(world)
    records = world.capture(*(firms.handoff(number) for number in range(900, 930)))
    raws = [firms.sender.sign(world, record, "consignor", firms.receiver) for record in records]
    process = subprocess.Popen(
        [sys.executable, "-c", TAKES, str(world.folder), world.url],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n".join(raw.decode() for raw in raws) + "\n")
    process.stdin.flush()
    heard = [process.stdout.readline().strip() for _ in range(7)]
    process.kill()
    rest = process.stdout.read().split()
    process.wait()
    acknowledged = {bytes.fromhex(one) for one in (*heard, *rest) if len(one) == 64}
    assert len(acknowledged) >= 7
    held = {bytes(row.digest) for row in rows(world)}
    assert acknowledged <= held
    finish(world, firms)
    for raw in raws:
        firms.take(world, raw)
    finish(world, firms)
    assert {confirmation(world, record) for record in records} == {"consignor"}
    assert len(rows(world)) == len(records)
    sound(world)


@pytest.mark.parametrize("point", ["anchor.final.before", "anchor.final.after"])
def test_killed_while_the_proofs_are_kept(world: Any, firms: Any, point: str) -> None:
    firms.open(world)
    (record,) = world.capture(firms.handoff(900))
    firms.take(world, firms.sender.sign(world, record, "consignor", firms.receiver))
    world.seal()

    class Killed(Exception):
        pass

    def die(at: str) -> None:
        if at == point:
            raise Killed

    with pytest.raises(Killed):
        world.advance(at=die)
    with world.store.read() as connection:
        kept = len(connection.execute(select(KEY_PROOFS)).all())
    assert kept == (0 if point.endswith("before") else 1), "with the anchor's own proof, or neither"
    world = world.reopen()
    world.advance()
    assert judged(bundle(world, record), trusted(world)) == ("VALID", "consignor")
    sound(world)


def test_an_unknown_record(world: Any, firms: Any) -> None:
    firms.open(world)
    with pytest.raises(UnknownRecord):
        firms.take(world, firms.sender.sign(world, b"\x01" * 32, "consignor", firms.receiver))

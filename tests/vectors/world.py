"""A small deployment, all in memory and always the same: log, lot map, contract state, blocks, bundles.

The chain is made here, from the third-party packages `trie` and `rlp`, and not by the code under test.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import rlp as third_party_rlp
from trie.hexary import HexaryTrie

from sudonglian.chain import canonical, checkpoint, entry, lotmap, merkle, record, secp256k1, signature, slots, trust
from sudonglian.chain.bundle import Anchor, Bundle, Correction, Lot, RecordProof, Seal, SignatureProof
from sudonglian.chain.identifiers import named_by
from sudonglian.chain.keccak import keccak256

ORIGIN = "sudonglian.example/log/7c9e6679"
CLEAR = ("type", "action", "eventTime", "eventTimeZoneOffset", "bizStep", "epcList", "quantityList", "sdl:traceCode")
LOT = "https://id.gs1.org/01/06901234000016/10/FROZEN1"
PALLET = "https://id.gs1.org/00/069012340000000018"


def draw(label: str, length: int = 32) -> bytes:
    """Return bytes that look random and are always the same for one label."""
    return b"".join(sha256(f"{label}/{n}".encode()).digest() for n in range(-(-length // 32)))[:length]


def stream(label: str) -> Callable[[int], bytes]:
    """Return a stand-in for secrets.token_bytes."""
    calls = iter(range(10**9))
    return lambda length: draw(f"{label}/{next(calls)}", length)


def plain_event(number: int, *names: str) -> dict[str, Any]:
    """Return a plain event that names some identifiers."""
    return {
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "bizStep": "shipping",
        "eventID": f"urn:uuid:00000000-0000-4000-8000-{number:012d}",
        "eventTime": "2026-01-05T08:30:00+08:00",
        "eventTimeZoneOffset": "+08:00",
        "epcList": list(names),
        "sdl:participants": [{"role": "driver", "name": "张三"}],
    }


def visibility_of(name: str) -> str:
    """Return a member's class."""
    return "clear" if name in CLEAR else "vault" if name == record.PARTICIPANTS else "partner"


@dataclass
class Block:
    """The state of the chain after one block."""

    header: bytes
    account_proof: tuple[bytes, ...]
    storage: HexaryTrie

    def storage_proof(self, slot: bytes) -> tuple[bytes, ...]:
        """Return what eth_getProof gives for a slot."""
        return nodes(self.storage, slot)


@dataclass
class World:
    """One operator's log and one chain."""

    name: str = "a"
    chain_id: int = 31337
    validators: int = 0
    """Zero: headers of an ordinary chain; otherwise QBFT headers of so many validators."""
    log_key: checkpoint.LogKey = field(init=False)
    leaves: list[bytes] = field(default_factory=list)
    sealed: dict[int, record.Sealed] = field(default_factory=dict)
    chains: dict[str, list[bytes]] = field(default_factory=dict)
    map_nodes: dict[tuple[int, bytes], lotmap.Node] = field(default_factory=dict)
    map_root: bytes = lotmap.EMPTY
    state: dict[bytes, int] = field(default_factory=dict)
    blocks: dict[int, Block] = field(default_factory=dict)
    """By anchored size."""
    signed: dict[int, list[tuple[int, signature.Signature]]] = field(default_factory=dict)
    corrected: dict[int, list[tuple[int, bytes]]] = field(default_factory=dict)
    seals: dict[int, entry.SealEntry] = field(default_factory=dict)
    """By size of the checkpoint."""
    height: int = 100

    def __post_init__(self) -> None:
        self.log_key = checkpoint.LogKey.from_seed(ORIGIN, draw(f"{self.name}/log key"))
        self.contract = draw(f"{self.name}/contract", 20)
        self.genesis = draw(f"{self.name}/genesis")
        self.code_hash = keccak256(b"runtime code")
        self.validator_keys = [draw(f"{self.name}/validator/{n}") for n in range(self.validators)]

    # The log

    def add(self, *names: str, plain: dict[str, Any] | None = None) -> int:
        """Take a record that names identifiers; return its index."""
        index = len(self.leaves)
        event = plain_event(index, *names) if plain is None else plain
        submitter = "https://id.gs1.org/417/6901234000009"
        sealed = record.seal_record(event, submitter, visibility_of, random=stream(f"{self.name}/{index}"))
        self._append(entry.record_entry(sealed.record_hash))
        self.sealed[index] = sealed
        shown: Any = sealed.record["event"]
        for name in named_by(shown):
            self.chains.setdefault(name, []).append(sealed.record_hash)
        return index

    def correct(self, index: int, by: int) -> None:
        """Let one record stand against another."""
        h = self.sealed[by].record_hash
        self.corrected.setdefault(index, []).append((len(self.leaves), h))
        self._append(entry.correction_entry(h, self.sealed[index].record_hash))

    def sign(self, index: int, role: signature.Role, key: bytes, counterparty: bytes) -> int:
        """Take a party's signature over a record; return its index."""
        h, place = self.sealed[index].record_hash, len(self.leaves)
        made = signature.sign(key, ORIGIN, h, role, counterparty, 1_767_573_067)
        self.signed.setdefault(index, []).append((place, made))
        self._append(entry.signature_entry(h, made.digest()))
        return place

    def seal(self) -> int:
        """Close the log so far; return the checkpoint's size."""
        changes = {lotmap.key(name): (len(c), lotmap.chain_over(c)) for name, c in self.chains.items()}
        self.map_root, written = lotmap.update(self._map, self.map_root, changes)
        self.map_nodes |= {(depth, prefix): node for depth, prefix, node in written}
        moment = datetime(2026, 1, 5, 0, 31, 7, tzinfo=UTC) + timedelta(seconds=len(self.leaves))
        said = entry.SealEntry(self.map_root, merkle.EMPTY_ROOT, moment)
        self._append(entry.seal_entry(said.lots, said.private, said.at))
        self.seals[len(self.leaves)] = said
        return len(self.leaves)

    def root(self, size: int) -> bytes:
        """Return the root of the first entries."""
        return merkle.root(self.leaves[:size])

    # The chain

    def register(
        self, key: bytes, party: bytes, valid_from: int = 0, valid_to: int = 2**63, revoked_at: int = 0, roles: int = 3
    ) -> None:
        """Write a key into the registry."""
        first, second = slots.party_slots(secp256k1.address_of_key(key))
        self.state[first] = int.from_bytes(party, "big")
        self.state[second] = valid_from | valid_to << 64 | revoked_at << 128 | roles << 192

    def anchor(self, size: int | None = None, root: bytes | None = None) -> int:
        """Mine a block in which the contract holds the root at `size`; return the size."""
        size = len(self.leaves) if size is None else size
        self.state[slots.root_slot(size)] = int.from_bytes(self.root(size) if root is None else root, "big")
        self.height += 1
        storage, state = HexaryTrie({}), HexaryTrie({})
        self.state[bytes(32)] = 1
        for slot, value in self.state.items():
            storage[keccak256(slot)] = third_party_rlp.encode(value)
        account = third_party_rlp.encode([1, 0, storage.root_hash, self.code_hash])
        state[keccak256(self.contract)] = account
        for n in range(40):
            state[keccak256(draw(f"account/{n}", 20))] = third_party_rlp.encode([n, 10**18, bytes(32), bytes(32)])
        self.blocks[size] = Block(self._header(state.root_hash), nodes(state, self.contract), storage)
        return size

    def _header(self, state_root: bytes, timestamp: int = 1_767_580_000) -> bytes:
        extra = b"" if not self.validators else self._extra(0, [])
        fields: list[Any] = [draw("parent"), keccak256(third_party_rlp.encode([])), draw("coinbase", 20), state_root]
        fields += [draw("transactions"), draw("receipts"), bytes(256), b"", self.height, 30_000_000, 21_000]
        fields += [timestamp + self.height, extra, bytes(32), bytes(8), 7]
        if not self.validators:
            return bytes(third_party_rlp.encode(fields))
        return self.qbft_header(fields, self.validator_keys[: -(-2 * self.validators // 3)])

    def _extra(self, number: int, seals: Sequence[bytes]) -> bytes:
        validators = [secp256k1.address_of_key(key) for key in self.validator_keys]
        return bytes(third_party_rlp.encode([bytes(32), validators, [], number, list(seals)]))

    def qbft_header(self, fields: list[Any], keys: Iterable[bytes], round_number: int = 2) -> bytes:
        """Return a header that validators have sealed, as Besu writes it."""
        unsealed = [*fields[:12], self._extra(round_number, []), *fields[13:]]
        digest = keccak256(third_party_rlp.encode(unsealed))
        seals = [secp256k1.sign(digest, key) for key in keys]
        return bytes(third_party_rlp.encode([*fields[:12], self._extra(round_number, seals), *fields[13:]]))

    # What an auditor gets

    def trust(self, *, headers: Iterable[int] | None = None) -> trust.Trust:
        """Return an auditor's trust: the log, the chain, the headers of some anchored sizes (default: all)."""
        finality: trust.Finality
        if self.validators:
            finality = trust.Qbft(frozenset(secp256k1.address_of_key(key) for key in self.validator_keys))
        else:
            chosen = self.blocks if headers is None else headers
            finality = trust.TrustedHeaders(frozenset(keccak256(self.blocks[size].header) for size in chosen))
        chain = trust.TrustedChain(self.chain_id, self.genesis, self.contract, self.code_hash, finality)
        return trust.Trust().with_log(self.log_key.vkey).with_chain(chain)

    def anchor_proof(self, size: int, checkpoint_size: int) -> Anchor:
        """Return an anchor's proof; the consistency runs from the smaller size to the larger."""
        block = self.blocks[size]
        small, large = sorted((size, checkpoint_size))
        return Anchor(
            chain_id=self.chain_id,
            genesis=self.genesis,
            contract=self.contract,
            size=size,
            root=self.root(size),
            consistency=tuple(merkle.consistency_path(self.leaves, small, large)),
            header=block.header,
            account_proof=block.account_proof,
            storage_proof=block.storage_proof(slots.root_slot(size)),
        )

    def record_proof(self, index: int, size: int, names: Iterable[str] = ()) -> RecordProof:
        """Return a record's proof, with the disclosures of some members."""
        sealed, chosen = self.sealed[index], set(names)
        return RecordProof(
            record=sealed.record,
            disclosures=tuple(sorted(one.text for one in sealed.disclosures if one.name in chosen)),
            index=index,
            path=self._path(index, size),
            corrections=tuple(
                Correction(h, place, self._path(place, size))
                for place, h in self.corrected.get(index, [])
                if place < size
            ),
            signatures=tuple(
                self.signature_proof(place, made, size) for place, made in self.signed.get(index, []) if place < size
            ),
        )

    def signature_proof(self, place: int, made: signature.Signature, size: int) -> SignatureProof:
        """Return a signature's proof at the first anchor that covers it."""
        anchored = min(one for one in self.blocks if one > place)
        first, second = slots.party_slots(made.signer)
        return SignatureProof(
            signature=made.to_json(),
            index=place,
            path=self._path(place, size),
            anchor=self.anchor_proof(anchored, size),
            party_proof=self.blocks[anchored].storage_proof(first),
            window_proof=self.blocks[anchored].storage_proof(second),
        )

    def lot_proof(self, name: str) -> Lot:
        """Return what the map says of an identifier."""
        proof = lotmap.prove(self._map, self.map_root, lotmap.key(name))
        return Lot(name, tuple(self.chains.get(name, [])), proof.other, tuple(proof.path))

    def bundle(
        self,
        indexes: Iterable[int],
        *,
        size: int | None = None,
        anchors: Iterable[int] | None = None,
        names: Iterable[str] = ("eventID",),
        lots: Iterable[str] = (),
    ) -> Bundle:
        """Return a bundle at a checkpoint (default: the last seal), anchored at some sizes (default: the last)."""
        size = max(self.seals) if size is None else size
        claims = tuple(self.lot_proof(name) for name in sorted(lots))
        said = self.seals[size]
        seal = Seal(entry.time_text(said.at), said.lots, said.private, self._path(size - 1, size)) if claims else None
        return Bundle(
            checkpoint=self.log_key.sign(size, self.root(size)),
            records=tuple(self.record_proof(index, size, names) for index in sorted(indexes)),
            anchors=tuple(self.anchor_proof(one, size) for one in ([max(self.blocks)] if anchors is None else anchors)),
            seal=seal,
            lots=claims,
        )

    def _append(self, data: bytes) -> None:
        self.leaves.append(merkle.leaf_hash(data))

    def _path(self, index: int, size: int) -> tuple[bytes, ...]:
        return tuple(merkle.inclusion_path(self.leaves, index, size))

    def _map(self, depth: int, prefix: bytes) -> lotmap.Node | None:
        return self.map_nodes.get((depth, prefix))


CONSIGNOR, CONSIGNEE = draw("consignor key"), draw("consignee key")
SENDER, RECEIVER = (
    keccak256(b"https://id.gs1.org/417/6901234000009"),
    keccak256(b"https://id.gs1.org/417/6901234000016"),
)


def small_world(name: str = "a", validators: int = 0, **settings: Any) -> World:
    """Return a world with a signed, corrected record, a lot of four records, two checkpoints and two anchors."""
    world = World(name, validators=validators, **settings)
    world.register(CONSIGNOR, SENDER, roles=1)
    world.register(CONSIGNEE, RECEIVER, roles=2)
    first = world.add(LOT, PALLET)
    world.sign(first, "consignor", CONSIGNOR, RECEIVER)
    world.add(LOT)
    world.add("urn:other:1")
    world.seal()
    world.anchor()
    world.sign(first, "consignee", CONSIGNEE, SENDER)
    again = world.add(LOT)
    world.correct(2, again)
    for n in range(20):
        world.add(f"urn:other:{n}")
    world.add(LOT, "urn:other:2")
    world.seal()
    world.anchor()
    return world


def nodes(trie: HexaryTrie, key: bytes) -> tuple[bytes, ...]:
    """Return a trie's proof as eth_getProof gives it."""
    return tuple(bytes(third_party_rlp.encode(node)) for node in trie.get_proof(keccak256(key)))  # type: ignore[no-untyped-call]


def lot_indexes(world: World, name: str) -> list[int]:
    """Return the indexes of the records that name an identifier."""
    wanted = set(world.chains.get(name, []))
    return [index for index, sealed in world.sealed.items() if sealed.record_hash in wanted]


def good_bundles(world: World) -> dict[str, Bundle]:
    """Return one bundle of each kind, all VALID under the world's trust."""
    early = min(world.seals)
    return {
        "signed": world.bundle([0], names=["eventID", record.PARTICIPANTS]),
        "unsigned": world.bundle([9]),
        "corrected": world.bundle([2]),
        "lot": world.bundle(lot_indexes(world, LOT), names=[], lots=[LOT]),
        "absence": world.bundle([], lots=["urn:other:never"]),
        "older-checkpoint": replace(
            world.bundle([3], size=early), anchors=(world.anchor_proof(max(world.blocks), early),)
        ),
    }


def tampered_text(raw: bytes, old: str, new: str) -> bytes:
    """Return a bundle in which a text was replaced, canonical again."""
    assert old.encode() in raw, old
    return canonical.encode(canonical.parse_stored(raw.replace(old.encode(), new.encode(), 1), max_bytes=2**26))

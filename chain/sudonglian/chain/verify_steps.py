"""The steps of a bundle's verification: each passes, fails, or does not know.

docs/spec/bundle.md, rules 10-13.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, TypeAlias

from sudonglian.chain import canonical, checkpoint, entry, lotmap, merkle, mpt, qbft, record, signature, slots
from sudonglian.chain import header as headers
from sudonglian.chain.bundle import Anchor, Bundle, RecordProof, SignatureProof
from sudonglian.chain.checkpoint import Note
from sudonglian.chain.errors import ProofRefused, SudonglianError
from sudonglian.chain.header import Header
from sudonglian.chain.identifiers import named_by
from sudonglian.chain.mpt import Account
from sudonglian.chain.trust import Qbft, Trust, TrustedChain

Result: TypeAlias = Literal["PASS", "FAIL", "UNKNOWN"]
Outcome: TypeAlias = Literal["VALID", "INVALID", "INDETERMINATE"]
Confirmation: TypeAlias = Literal["unsigned", "consignor", "consignee", "both"]
Completeness: TypeAlias = Literal["complete", "incomplete", "not claimed"]

NAMED: Final = 20
"""Missing records that a detail lists by number; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Step:
    """One named result with the numbers that it used."""

    name: str
    result: Result
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a bundle is worth under one auditor's trust."""

    verdict: Outcome
    confirmation: Confirmation
    completeness: Completeness
    steps: tuple[Step, ...]
    trusted: tuple[str, ...]
    """What of the trust file was used: the verdict holds as far as these do."""


class StepFailed(ProofRefused):
    """Something that a step shows to be wrong."""

    slug = "step"


class Unknown(Exception):
    """What a step would need, and the auditor's trust does not have: no error of the bundle."""


@dataclass
class AnchorCheck:
    """What one anchor shows under one auditor's trust, worked out once; a refusal keeps its place."""

    anchor: Anchor
    trust: Trust

    @cached_property
    def header(self) -> Header:
        """The block's header."""
        return headers.parse(self.anchor.header)

    @cached_property
    def account(self) -> Account:
        """The contract's account under the header's state root."""
        return mpt.verify_account(self.header.state_root, self.anchor.contract, self.anchor.account_proof)

    @cached_property
    def storage_root(self) -> bytes:
        """The root of the contract's storage, in which it holds the anchored root."""
        anchor, root = self.anchor, self.account.storage_root
        held = mpt.verify_storage(root, slots.root_slot(anchor.size), anchor.storage_proof)
        if held != int.from_bytes(anchor.root, "big"):
            raise StepFailed(f"the contract holds another root at size {anchor.size}")
        return root

    @cached_property
    def chain(self) -> TrustedChain:
        """The chain of the auditor's trust on which the anchor claims to stand."""
        anchor = self.anchor
        chain = self.trust.chain(anchor.genesis, anchor.contract)
        if chain is None:
            raise Unknown(
                f"trust has no contract {anchor.contract.hex()} on the chain of genesis {anchor.genesis.hex()}"
            )
        if chain.chain_id != anchor.chain_id:
            raise StepFailed(f"chain id {anchor.chain_id}, trusted is {chain.chain_id}")
        return chain

    @cached_property
    def finality(self) -> str:
        """By what rule the block is final."""
        rule, number = self.chain.finality, self.header.number
        if isinstance(rule, Qbft):
            digest = qbft.verify_sealed(self.anchor.header, rule.validators)
            return f"block {number} {digest.hex()} sealed by a quorum of {len(rule.validators)}"
        if self.header.hash not in rule.headers:
            raise Unknown(f"block {number} {self.header.hash.hex()} is not among the trusted headers")
        return f"block {number} {self.header.hash.hex()} is a trusted header"

    def check_code(self) -> None:
        """Return if the contract's code is the one that is trusted, or if trust does not know the contract."""
        chain = self.trust.chain(self.anchor.genesis, self.anchor.contract)
        if chain is not None and self.account.code_hash != chain.code_hash:
            raise StepFailed(f"code hash {self.account.code_hash.hex()}, trusted is {chain.code_hash.hex()}")


@dataclass
class Examination:
    """One bundle under one auditor's trust; `run` gives the steps in their order."""

    bundle: Bundle
    trust: Trust
    roles: list[set[str]] = field(default_factory=list)
    """For each record, who signed it, every condition met."""
    _sound: set[int] = field(default_factory=set)
    """The records whose form was seen to be right."""
    _blocks: dict[tuple[object, ...], AnchorCheck] = field(default_factory=dict)

    @cached_property
    def note(self) -> Note:
        """The checkpoint as it is written; only its signed text is read."""
        return checkpoint.parse_note(self.bundle.checkpoint)

    @cached_property
    def hashes(self) -> list[bytes]:
        """The records' hashes."""
        return [record.record_hash(canonical.encode(one.record)) for one in self.bundle.records]

    @cached_property
    def anchors(self) -> list[AnchorCheck]:
        """The anchors, each with what it shows."""
        return [self._shown(one) for one in self.bundle.anchors]

    def run(self) -> Iterator[Step]:
        """Give every step after `parse`."""
        steps: tuple[tuple[str, Callable[[], str]], ...] = (
            ("record", self.check_records),
            ("inclusion", self.check_inclusion),
            ("signatures", self.check_signatures),
            ("checkpoint", self.check_checkpoint),
            ("consistency", self.check_consistency),
            ("storage", self.check_storage),
            ("finality", self.check_finality),
            ("chain", self.check_chain),
            ("lots", self.check_lots),
        )
        return walked(steps)

    def check_records(self) -> str:
        """Check each record's form, disclosures and hash."""
        for place, one in enumerate(self.bundle.records):
            with at(f"record {place}"):
                record.open_record(one.record, one.disclosures)
            self._sound.add(place)
        if len(set(self.hashes)) != len(self.hashes):
            raise StepFailed("a record stands twice")
        if len(self.hashes) == 1:
            return f"record {self.hashes[0].hex()}, {len(self.bundle.records[0].disclosures)} disclosures"
        return f"{len(self.hashes)} records, {sum(len(one.disclosures) for one in self.bundle.records)} disclosures"

    def check_inclusion(self) -> str:
        """Check each record's and correction's place in the checkpoint's tree."""
        superseded = []
        for place, one in enumerate(self.bundle.records):
            digest = self.hashes[place]
            with at(f"record {place}"):
                self.included(entry.record_entry(digest), one.index, one.path)
            for correction in one.corrections:
                with at(f"correction of record {place}"):
                    self.included(entry.correction_entry(correction.h, digest), correction.index, correction.path)
                superseded.append(f"record at {one.index} superseded by {correction.h.hex()} at {correction.index}")
        return "; ".join([f"{len(self.hashes)} in a tree of {self.note.size}", *superseded])

    def check_signatures(self) -> str:
        """Check each signature, its place in the log, and its key's window at the first anchor after it."""
        self.roles = [set() for _ in self.bundle.records]
        lacks: list[str] = []
        said: list[str] = []
        for place, one in enumerate(self.bundle.records):
            parties: dict[str, tuple[bytes, bytes]] = {}
            for proof in one.signatures:
                with at(f"signature at {proof.index} of record {place}"):
                    try:
                        role, party, counterparty = self._signed(place, one, proof)
                    except Unknown as lack:
                        lacks.append(str(lack))
                        continue
                    if role in parties:
                        raise StepFailed(f"a second {role}")
                    parties[role] = (party, counterparty)
                    said.append(f"{role} {party.hex()} of the record at {one.index}")
            if len(parties) == 2:
                (consignor, its_other), (consignee, whose_other) = parties["consignor"], parties["consignee"]
                if (its_other, whose_other) != (consignee, consignor):
                    raise StepFailed(f"the signers of record {place} do not name each other as counterparty")
            self.roles[place] = set(parties)
        if lacks:
            raise Unknown("; ".join(lacks))
        return "; ".join(said) or "unsigned"

    def check_checkpoint(self) -> str:
        """Check the checkpoint's signature by the log's trusted key."""
        log = self.trust.log(self.note.origin)
        if log is None:
            raise Unknown(f"trust has no key of the log {self.note.origin}")
        origin, size, root = checkpoint.verify_note(self.note, log.key, alone=True)
        return f"{origin} signed size {size}, root {root.hex()}"

    def check_consistency(self) -> str:
        """Check that the checkpoint's tree is a prefix of every anchored one."""
        self._anchors_or_unknown()
        for place, one in enumerate(self.bundle.anchors):
            with at(f"anchor {place}"):
                merkle.verify_consistency(self.note.size, self.note.root, one.size, one.root, one.consistency)
        return f"size {self.note.size} is a prefix of {_list(str(one.size) for one in self.bundle.anchors)}"

    def check_storage(self) -> str:
        """Check every anchor's account and storage proof, and the contract's code."""
        said = []
        for place, anchor in enumerate(self._anchors_or_unknown()):
            with at(f"anchor {place}"):
                _ = anchor.storage_root
                anchor.check_code()
            said.append(f"rootAt[{anchor.anchor.size}] in block {anchor.header.number}")
        return _list(said)

    def check_finality(self) -> str:
        """Check every anchor's block by the rule that trust gives to its chain."""
        if not self.anchors:
            raise Unknown("no anchor yet")
        return self._every(lambda anchor: anchor.finality)

    def check_chain(self) -> str:
        """Check that every anchor's chain and contract are the auditor's."""
        self._anchors_or_unknown()
        return self._every(lambda anchor: f"chain {anchor.chain.chain_id}, {anchor.anchor.contract.hex()}")

    def check_lots(self) -> str:
        """Check the seal, and for each lot exactly the records that it counts."""
        seal = self.bundle.seal
        if seal is None:
            return "not claimed"
        sealed = entry.seal_entry(seal.lots, seal.private, entry.parse_time(seal.at))
        with at("seal"):
            self.included(sealed, self.note.size - 1, seal.path)
        shown = set(self.hashes)
        naming: dict[str, list[bytes]] = {}
        for place, digest in enumerate(self.hashes):
            for name in self._names(place):
                naming.setdefault(name, []).append(digest)
        said = []
        for lot in self.bundle.lots:
            with at(lot.id):
                missing = [number for number, digest in enumerate(lot.chain, 1) if digest not in shown]
                if missing:
                    listed = ", ".join(str(one) for one in missing[:NAMED]) + (" …" if missing[NAMED:] else "")
                    raise StepFailed(f"{len(missing)} of {len(lot.chain)} records are missing: number {listed}")
                due = naming.get(lot.id, [])
                if list(lot.chain) != due:
                    raise StepFailed(
                        f"the chain of {len(lot.chain)} is not the {len(due)} records that name it, in order"
                    )
                value = (len(due), lotmap.chain_over(due)) if due else None
                lotmap.verify_map(lotmap.key(lot.id), value, lot.other, lot.path, seal.lots)
            said.append(f"{lot.id}: {f'all {len(due)} records' if due else 'no record'} up to {seal.at}")
        return _list(said)

    def included(self, data: bytes, index: int, path: tuple[bytes, ...]) -> None:
        """Check an entry's place in the checkpoint's tree."""
        merkle.verify_inclusion(merkle.leaf_hash(data), index, self.note.size, path, self.note.root)

    def _signed(self, place: int, one: RecordProof, proof: SignatureProof) -> tuple[str, bytes, bytes]:
        """Return (role, signer's party, counterparty) of a signature that counts (signature.md rule 4)."""
        digest, note = self.hashes[place], self.note
        signed = signature.parse(proof.signature)
        if signed.record != digest:
            raise StepFailed("it signs another record")
        signed.verify(note.origin)
        self.included(entry.signature_entry(digest, signed.digest()), proof.index, proof.path)
        anchor, check = proof.anchor, self._shown(proof.anchor)
        if not proof.index < anchor.size <= note.size:
            raise StepFailed(f"the anchored size {anchor.size} is not between its index and the checkpoint's size")
        merkle.verify_consistency(anchor.size, anchor.root, note.size, note.root, anchor.consistency)
        storage_root = check.storage_root
        party_slot, window_slot = slots.party_slots(signed.signer)
        party = mpt.verify_storage(storage_root, party_slot, proof.party_proof).to_bytes(32, "big")
        window = slots.window_of(mpt.verify_storage(storage_root, window_slot, proof.window_proof))
        if not window.open_at(check.header.timestamp, signature.ROLES[signed.role]):
            raise StepFailed(
                f"the key {signed.signer.hex()} does not sign as {signed.role} at {check.header.timestamp}"
            )
        _ = check.chain
        check.check_code()
        _ = check.finality
        return signed.role, party, signed.counterparty

    def _shown(self, anchor: Anchor) -> AnchorCheck:
        """Return what an anchor shows: signatures and the bundle often rest on one block, which is checked once."""
        # Everything but the consistency path, which runs to another size each time.
        key = (
            *(anchor.chain_id, anchor.genesis, anchor.contract, anchor.size, anchor.root),
            *(anchor.header, anchor.account_proof, anchor.storage_proof),
        )
        return self._blocks.setdefault(key, AnchorCheck(anchor, self.trust))

    def _names(self, place: int) -> tuple[str, ...]:
        value = self.bundle.records[place].record
        event = (value if place in self._sound and isinstance(value, dict) else record.check_record(value))["event"]
        return named_by(event) if isinstance(event, dict) else ()

    def _anchors_or_unknown(self) -> list[AnchorCheck]:
        if not self.anchors:
            raise Unknown("no anchor yet")
        return self.anchors

    def _every(self, check: Callable[[AnchorCheck], str]) -> str:
        """Ask every anchor before an unknown one is reported: a failure elsewhere weighs more."""
        said, lacks = [], []
        for place, anchor in enumerate(self.anchors):
            try:
                with at(f"anchor {place}"):
                    said.append(check(anchor))
            except Unknown as lack:
                lacks.append(str(lack))
        if lacks:
            raise Unknown("; ".join(lacks))
        return _list(said)


def walked(steps: Iterable[tuple[str, Callable[[], str]]]) -> Iterator[Step]:
    """Give the result of each check under its name."""
    for name, check in steps:
        try:
            yield Step(name, "PASS", check())
        except Unknown as lack:
            yield Step(name, "UNKNOWN", str(lack))
        except SudonglianError as refusal:
            yield Step(name, "FAIL", f"{refusal.place}: {refusal.reason}" if refusal.place else refusal.reason)


@contextmanager
def at(place: str) -> Iterator[None]:
    """Put the place in the bundle before a refusal's own."""
    try:
        yield
    except SudonglianError as refusal:
        inner = f"{place}: {refusal.place}" if refusal.place else place
        raise StepFailed(refusal.reason, place=inner) from refusal


def _list(parts: Iterator[str] | list[str]) -> str:
    return "; ".join(parts)

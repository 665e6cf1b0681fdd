"""Proofs from the private tree: that an entry stands in it, and that nothing was taken out between two checkpoints.

docs/spec/access-log.md rules 8-10. Read strictly and judged under the auditor's own trust, as bundles are.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sudonglian.chain import bundle, canonical, checkpoint, entry, merkle
from sudonglian.chain.bundle import Anchor, Bundle, Seal
from sudonglian.chain.canonical import Json
from sudonglian.chain.checkpoint import LogKey, Note, VerifierKey
from sudonglian.chain.errors import CanonicalRefused, ProofRefused
from sudonglian.chain.trust import Trust
from sudonglian.chain.verify_steps import Examination, Step, Unknown, walked

ENTRY: Final = "sudonglian/access/1"
CONSISTENCY: Final = "sudonglian/access-consistency/1"

PRIVATE: Final = "/private"
"""Behind a log's origin: the origin of the notes about its private tree."""

MAX_BYTES: Final = 16 * 1024 * 1024
"""A run of a hundred thousand persons is an entry of a few megabytes."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A private tree as a checkpoint has it: the tree's own signed note, the seal that holds its root, the checkpoint."""

    checkpoint: str
    tree: str
    seal: Seal

    def to_json(self) -> dict[str, Json]:
        """Return its object."""
        return {"checkpoint": self.checkpoint, "seal": self.seal.to_json(), "tree": self.tree}


def private_key(key: LogKey) -> LogKey:
    """Return what signs the notes of a log's private tree: the log's key, under another name."""
    return LogKey.from_seed(key.origin + PRIVATE, key.seed)


def entry_proof(
    data: bytes, blinding: bytes, index: int, path: list[bytes], sealed: Sealed, anchors: Sequence[Anchor] = ()
) -> bytes:
    """Return the proof that an entry stands in the private tree."""
    told: dict[str, Json] = {"v": ENTRY, "entry": data.decode(), "blinding": blinding.hex(), "index": index}
    return canonical.encode({**told, **_beside(path, anchors), "sealed": sealed.to_json()})


def consistency_proof(older: Sealed, newer: Sealed, path: list[bytes], anchors: Sequence[Anchor] = ()) -> bytes:
    """Return the proof that nothing was taken out of the private tree between two checkpoints."""
    told: dict[str, Json] = {"v": CONSISTENCY, "from": older.to_json(), "to": newer.to_json()}
    return canonical.encode({**told, **_beside(path, anchors)})


def is_proof(raw: bytes) -> bool:
    """Return whether a file says that it is one of these proofs."""
    return _version(raw) in (ENTRY, CONSISTENCY)


def examination(raw: bytes, trust: Trust) -> "AccessExamination":
    """Return the examination of a proof.

    Raises
    ------
    ProofRefused
        Its form is not right; the place is in the file.
    """
    try:
        value = canonical.parse_stored(raw, max_bytes=MAX_BYTES)
    except CanonicalRefused as error:
        raise ProofRefused(error.reason, place=error.place) from error
    if not isinstance(value, dict) or value.get("v") not in (ENTRY, CONSISTENCY):
        raise ProofRefused("of another version", place="/v")
    proof = _entry(value) if value["v"] == ENTRY else _consistency(value)
    newest = Bundle(checkpoint=proof.sealed[-1].checkpoint, records=(), anchors=bundle.anchors(value["anchors"]))
    return AccessExamination(newest, trust, proof=proof)


@dataclass
class AccessExamination(Examination):
    """One proof from the private tree under one auditor's trust."""

    proof: "_Proof | None" = None

    def run(self) -> Iterator[Step]:
        """Give every step after `parse`."""
        assert self.proof is not None
        steps: tuple[tuple[str, Callable[[], str]], ...] = (
            ("inclusion", self.proof.check_seals),
            ("checkpoint", lambda: self.proof.check_notes(self.trust) if self.proof else ""),
            ("private", self.proof.check_private),
            ("consistency", self.check_consistency),
            ("storage", self.check_storage),
            ("finality", self.check_finality),
            ("chain", self.check_chain),
        )
        return walked(steps)


class _Proof(ABC):
    """What both proofs have: sealed trees, the older first."""

    def __init__(self, *sealed: Sealed) -> None:
        self.sealed = sealed
        self.notes = [checkpoint.parse_note(one.checkpoint) for one in sealed]
        self.trees = [checkpoint.parse_note(one.tree) for one in sealed]

    def check_seals(self) -> str:
        """Check that each seal is the last entry of its checkpoint, and holds the root of the private tree's note."""
        for one, note, tree in zip(self.sealed, self.notes, self.trees, strict=True):
            leaf = merkle.leaf_hash(entry.seal_entry(one.seal.lots, one.seal.private, entry.parse_time(one.seal.at)))
            merkle.verify_inclusion(leaf, note.size - 1, note.size, one.seal.path, note.root)
            if tree.root != one.seal.private:
                raise ProofRefused(f"the seal of size {note.size} holds another private root", place="tree")
        return "; ".join(f"seal of size {note.size}, {one.seal.at}" for one, note in self._pairs())

    def check_notes(self, trust: Trust) -> str:
        """Check that the log's trusted key signed every note."""
        origins = {note.origin for note in self.notes}
        if len(origins) != 1:
            raise ProofRefused("checkpoints of two logs", place="checkpoint")
        (origin,) = origins
        log = trust.log(origin)
        if log is None:
            raise Unknown(f"trust has no key of the log {origin}")
        own = VerifierKey(origin + PRIVATE, log.key.public)
        for note, tree in zip(self.notes, self.trees, strict=True):
            checkpoint.verify_note(note, log.key, alone=True)
            checkpoint.verify_note(tree, own, alone=True)
        return "; ".join(
            f"{origin} signed size {note.size} and {tree.size} private entries"
            for note, tree in zip(self.notes, self.trees, strict=True)
        )

    @abstractmethod
    def check_private(self) -> str:
        """Check what the proof is about."""

    def _pairs(self) -> list[tuple[Sealed, Note]]:
        return list(zip(self.sealed, self.notes, strict=True))


class _Entry(_Proof):
    def __init__(self, data: bytes, blinding: bytes, index: int, path: tuple[bytes, ...], sealed: Sealed) -> None:
        super().__init__(sealed)
        self.data, self.blinding, self.index, self.path = data, blinding, index, path

    def check_private(self) -> str:
        (tree,) = self.trees
        leaf = merkle.leaf_hash(self.blinding + self.data)
        merkle.verify_inclusion(leaf, self.index, tree.size, self.path, tree.root)
        return f"entry {self.index} of {tree.size}: {self.data.decode()}"


class _Consistency(_Proof):
    def __init__(self, older: Sealed, newer: Sealed, path: tuple[bytes, ...]) -> None:
        super().__init__(older, newer)
        self.path = path

    def check_private(self) -> str:
        (old, new), (older, newer) = self.trees, self.notes
        if older.size > newer.size or old.size > new.size:
            raise ProofRefused(f"{new.size} private entries, and {old.size} before: some were taken out", place="to")
        if old.size == 0:
            if self.path or old.root != merkle.EMPTY_ROOT:
                raise ProofRefused("from an empty tree the proof is empty", place="path")
        else:
            merkle.verify_consistency(old.size, old.root, new.size, new.root, self.path)
        return f"all {old.size} entries stand unchanged among {new.size}"


def _entry(value: dict[str, Json]) -> _Proof:
    members = bundle.members(value, "", "anchors", "blinding", "entry", "index", "path", "sealed", "v")
    data = bundle.text(members["entry"], "/entry").encode(errors="surrogatepass")
    try:
        canonical.parse_stored(data, max_bytes=MAX_BYTES)
    except CanonicalRefused as error:
        raise ProofRefused(error.reason, place="/entry") from error
    (blinding,) = bundle.hashes([members["blinding"]], "/blinding")
    index = bundle.count(members["index"], "/index")
    return _Entry(data, blinding, index, bundle.hashes(members["path"], "/path"), _sealed(members["sealed"], "/sealed"))


def _consistency(value: dict[str, Json]) -> _Proof:
    members = bundle.members(value, "", "anchors", "from", "path", "to", "v")
    older, newer = (_sealed(members[name], f"/{name}") for name in ("from", "to"))
    return _Consistency(older, newer, bundle.hashes(members["path"], "/path"))


def _sealed(value: Json, place: str) -> Sealed:
    members = bundle.members(value, place, "checkpoint", "seal", "tree")
    return Sealed(
        bundle.text(members["checkpoint"], f"{place}/checkpoint"),
        bundle.text(members["tree"], f"{place}/tree"),
        bundle.seal(members["seal"], f"{place}/seal"),
    )


def _beside(path: Sequence[bytes], anchors: Sequence[Anchor]) -> dict[str, Json]:
    return {"path": [one.hex() for one in path], "anchors": [one.to_json() for one in anchors]}


def _version(raw: bytes) -> Json:
    try:
        value = canonical.parse_stored(raw, max_bytes=MAX_BYTES)
    except CanonicalRefused:
        return None
    return value.get("v") if isinstance(value, dict) else None

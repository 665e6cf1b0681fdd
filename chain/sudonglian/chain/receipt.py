"""Receipts of erasures: the private entry, its place in the private tree, and the seal and checkpoint that fix it.

docs/spec/receipt.md. One file that stands on its own, as a bundle does; the form is read strictly, and then verified.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from sudonglian.chain import bundle as bundles
from sudonglian.chain import canonical, entry, merkle
from sudonglian.chain.bundle import Anchor, Bundle, BundleRefused, BundleVersionUnknown, Seal
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import CanonicalRefused
from sudonglian.chain.trust import Trust
from sudonglian.chain.verify_steps import Examination, Step, StepFailed, at, walked

PREFIX: Final = "sudonglian/erasure-receipt/"
VERSION: Final = PREFIX + "1"

MAX_BYTES: Final = 4 * 1024 * 1024
"""Of a person in 50,000 records; a usual one has 5 KB."""

BLINDING_BYTES: Final = 32

SAID: Final = frozenset({"at", "k", "person", "reason", "records"})


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt whose form is right; nothing in it is verified."""

    said: dict[str, Json]
    """What the private entry says (rule 2)."""
    blinding: bytes
    index: int
    size: int
    """Of the private tree under the seal."""
    path: tuple[bytes, ...]
    tombstone_index: int
    tombstone_path: tuple[bytes, ...]
    seal: Seal
    checkpoint: str
    anchors: tuple[Anchor, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """Return the receipt's object."""
        return {
            "anchors": [one.to_json() for one in self.anchors],
            "checkpoint": self.checkpoint,
            "entry": {
                "blinding": self.blinding.hex(),
                "index": self.index,
                "path": [one.hex() for one in self.path],
                "said": self.said,
                "size": self.size,
            },
            "seal": self.seal.to_json(),
            "tombstone": {"index": self.tombstone_index, "path": [one.hex() for one in self.tombstone_path]},
            "v": VERSION,
        }

    def encode(self) -> bytes:
        """Return the file's bytes; refuse what `parse` would not read back."""
        raw = canonical.encode(self.to_json())
        parse(raw)
        return raw


def is_receipt(raw: bytes) -> bool:
    """Return whether a file says that it is a receipt, of whatever version."""
    try:
        value = canonical.parse_stored(raw, max_bytes=MAX_BYTES)
    except CanonicalRefused:
        return False
    version = value.get("v") if isinstance(value, dict) else None
    return isinstance(version, str) and version.startswith(PREFIX)


def parse(raw: bytes) -> Receipt:
    """Read a receipt's form strictly, or refuse it.

    Raises
    ------
    BundleRefused
        With the place in the file; BundleVersionUnknown for a version to come.
    """
    try:
        value = canonical.parse_stored(raw, max_bytes=MAX_BYTES)
    except CanonicalRefused as error:
        raise BundleRefused(error.reason, place=error.place) from error
    if isinstance(value, dict) and isinstance(value.get("v"), str) and value["v"] != VERSION:
        raise BundleVersionUnknown(f"of a version that is not {VERSION}", place="/v")
    top = bundles.members(value, "", "anchors", "checkpoint", "entry", "seal", "tombstone", "v")
    if top["v"] != VERSION:
        raise BundleRefused("no version", place="/v")
    kept = bundles.members(top["entry"], "/entry", "blinding", "index", "path", "said", "size")
    tombstone = bundles.members(top["tombstone"], "/tombstone", "index", "path")
    return Receipt(
        said=_said(kept["said"]),
        blinding=bundles.octets(kept["blinding"], "/entry/blinding", BLINDING_BYTES),
        index=bundles.count(kept["index"], "/entry/index"),
        size=bundles.count(kept["size"], "/entry/size"),
        path=bundles.hashes(kept["path"], "/entry/path"),
        tombstone_index=bundles.count(tombstone["index"], "/tombstone/index"),
        tombstone_path=bundles.hashes(tombstone["path"], "/tombstone/path"),
        seal=bundles.seal(top["seal"]),
        checkpoint=bundles.text(top["checkpoint"], "/checkpoint"),
        anchors=bundles.anchors(top["anchors"]),
    )


def _said(value: Json) -> dict[str, Json]:
    said = bundles.members(value, "/entry/said", *sorted(SAID))
    if said["k"] != "erasure":
        raise BundleRefused("not an erasure", place="/entry/said/k")
    bundles.count(said["person"], "/entry/said/person")
    for name in ("at", "reason"):
        bundles.text(said[name], f"/entry/said/{name}")
    bundles.hashes(said["records"], "/entry/said/records")
    return said


@dataclass
class ReceiptExamination(Examination):
    """One receipt under one auditor's trust."""

    receipt: Receipt | None = None

    def run(self) -> Iterator[Step]:
        """Give every step after `parse`."""
        steps: tuple[tuple[str, Callable[[], str]], ...] = (
            ("receipt", self.check_receipt),
            ("tombstone", self.check_tombstone),
            ("checkpoint", self.check_checkpoint),
            ("consistency", self.check_consistency),
            ("storage", self.check_storage),
            ("finality", self.check_finality),
            ("chain", self.check_chain),
        )
        return walked(steps)

    def check_receipt(self) -> str:
        """Check the entry's place in the private tree, and the seal that commits to that tree."""
        one = self._receipt
        sealed = entry.seal_entry(one.seal.lots, one.seal.private, entry.parse_time(one.seal.at))
        with at("seal"):
            self.included(sealed, self.note.size - 1, one.seal.path)
        leaf = merkle.leaf_hash(one.blinding + canonical.encode(one.said))
        with at("entry"):
            merkle.verify_inclusion(leaf, one.index, one.size, one.path, one.seal.private)
        records = one.said["records"]
        many = len(records) if isinstance(records, list) else 0
        return (
            f"person {one.said['person']} erased from {many} records, said at {one.said['at']}, sealed at {one.seal.at}"
        )

    def check_tombstone(self) -> str:
        """Check that the log itself holds the tombstone of this receipt."""
        one = self._receipt
        digest = entry.tombstone_digest(one.blinding, one.said)
        with at("tombstone"):
            self.included(entry.tombstone_entry(digest), one.tombstone_index, one.tombstone_path)
        return f"tombstone {digest.hex()} at {one.tombstone_index} in a tree of {self.note.size}"

    @property
    def _receipt(self) -> Receipt:
        if self.receipt is None:
            raise StepFailed("no receipt")
        return self.receipt


def examination(receipt: Receipt, trust: Trust) -> ReceiptExamination:
    """Return the examination of a receipt."""
    bundle = Bundle(checkpoint=receipt.checkpoint, records=(), anchors=receipt.anchors)
    return ReceiptExamination(bundle, trust, receipt=receipt)

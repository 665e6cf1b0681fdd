"""The book of anchors: which chain counts, which anchor is in flight, which transactions may still be mined.

docs/anchoring.md (states and rules 2, 3, 5, 7); tables `chains`, `anchors`, `anchor_attempts`, `meta`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Final

from sqlalchemy import Connection, delete, func, insert, select, update

from sudonglian.chain import anchor_deployment
from sudonglian.chain.errors import SudonglianError
from sudonglian.chain.wallet import SignedTransaction
from sudonglian.records.sole import sole
from sudonglian.records.store import Store
from sudonglian.records.tables import ANCHOR_ATTEMPTS, ANCHORS, CHAINS, KEY_PROOFS

SEALED: Final = "SEALED"
SIGNED: Final = "SIGNED"
BROADCAST: Final = "BROADCAST"
STUCK: Final = "STUCK"
MINED: Final = "MINED"
REORGED: Final = "REORGED"
FINAL: Final = "FINAL"
CHAIN_LOST: Final = "CHAIN_LOST"
ENDED: Final = "ENDED"
FOREIGN: Final = "FOREIGN"
STATES: Final = frozenset({SEALED, SIGNED, BROADCAST, STUCK, MINED, REORGED, FINAL, CHAIN_LOST, ENDED, FOREIGN})
IN_FLIGHT: Final = (SEALED, SIGNED, BROADCAST, STUCK, MINED, REORGED)


class AnchoringError(SudonglianError):
    """Anchoring cannot go on."""

    slug: ClassVar[str] = "anchoring"


class AnchorMoved(AnchoringError):
    """Another process changed the anchor that this one was working on."""

    slug = "anchor-moved"


class BookDamaged(AnchoringError):
    """The tables of anchoring hold what this program never writes."""

    slug = "anchor-book"


@dataclass(frozen=True, slots=True)
class Chain:
    """A contract on a chain: a row of `chains`."""

    id: int
    chain_id: int
    genesis: bytes
    contract: bytes
    code_hash: bytes
    deploy_tx: bytes
    deploy_block: int

    @property
    def deployment(self) -> anchor_deployment.Deployment:
        """The same, as the contract's module names it."""
        return anchor_deployment.Deployment(
            self.chain_id, self.genesis, self.contract, self.code_hash, self.deploy_tx, self.deploy_block
        )


@dataclass(frozen=True, slots=True)
class Anchor:
    """A row of `anchors`, without the proofs."""

    id: int
    chain: int
    size: int
    root: bytes
    state: str
    nonce: int | None = None
    raw_tx: bytes | None = None
    tx_hash: bytes | None = None
    max_fee: int | None = None
    priority_fee: int | None = None
    sent_us: int | None = None
    block_number: int | None = None
    block_hash: bytes | None = None


UNSIGNED: Final[Mapping[str, Any]] = dict.fromkeys(
    ("nonce", "raw_tx", "tx_hash", "max_fee", "priority_fee", "sent_us", "block_number", "block_hash")
)
"""What an anchor loses that must be signed anew."""

UNPROVEN: Final[Mapping[str, Any]] = dict.fromkeys(
    ("block_number", "block_hash", "header", "account_proof", "storage_proof", "receipt")
)
"""What an anchor loses whose block is gone."""

_ANCHOR_COLUMNS = tuple(ANCHORS.c[name] for name in Anchor.__slots__)
_CHAIN_COLUMNS = tuple(CHAINS.c[name] for name in Chain.__slots__)


def chains(connection: Connection) -> list[Chain]:
    """Return the contract that counts and, before it, those that it succeeded on the same chain: newest first."""
    query = select(*_CHAIN_COLUMNS).where(CHAINS.c.lost_us.is_(None)).order_by(CHAINS.c.id.desc())
    return [Chain(*row) for row in connection.execute(query)]


def live_chain(connection: Connection) -> Chain | None:
    """Return the contract that counts: the newest that is not lost."""
    return next(iter(chains(connection)), None)


def in_flight(connection: Connection, chain: int) -> Anchor | None:
    """Return the anchor that is on its way; of several (after a reorganisation) the one that must be mined first."""
    return next(iter(all_in_flight(connection, chain)), None)


def all_in_flight(connection: Connection, chain: int) -> list[Anchor]:
    """Return every anchor that is on its way to a contract."""
    query = select(*_ANCHOR_COLUMNS).where(ANCHORS.c.chain == chain, ANCHORS.c.state.in_(IN_FLIGHT))
    return [Anchor(*row) for row in connection.execute(query.order_by(ANCHORS.c.size))]


def finals(connection: Connection, chain: int, limit: int | None = None) -> list[Anchor]:
    """Return the final anchors of a chain, newest first."""
    query = select(*_ANCHOR_COLUMNS).where(ANCHORS.c.chain == chain, ANCHORS.c.state == FINAL)
    return [Anchor(*row) for row in connection.execute(query.order_by(ANCHORS.c.size.desc()).limit(limit))]


def final_size(connection: Connection) -> int:
    """Return the size up to which the log is anchored for good on the chain that counts."""
    chain = live_chain(connection)
    query = select(func.max(ANCHORS.c.size)).where(ANCHORS.c.state == FINAL)
    return int(connection.execute(query.where(ANCHORS.c.chain == chain.id)).scalar_one() or 0) if chain else 0


def proven(connection: Connection) -> list[tuple[Chain, Anchor]]:
    """Return every anchor that a bundle can stand on, newest first; of one size in two contracts, the later first.

    What a contract held before its successor began it holds still.
    """
    found = [(chain, anchor) for chain in chains(connection) for anchor in finals(connection, chain.id)]
    return sorted(found, key=lambda one: (one[1].size, one[0].id), reverse=True)


def first_covering(connection: Connection, index: int) -> Anchor | None:
    """Return the first final anchor, on whichever chain is not lost, of a log that holds the entry at `index`."""
    query = select(*_ANCHOR_COLUMNS).where(ANCHORS.c.state == FINAL, ANCHORS.c.size > index)
    row = connection.execute(query.order_by(ANCHORS.c.chain, ANCHORS.c.size).limit(1)).one_or_none()
    return Anchor(*row) if row else None


def chain_of(connection: Connection, anchor: Anchor) -> Chain:
    """Return the chain that an anchor is on."""
    return chain_at(connection, anchor.chain)


def chain_at(connection: Connection, number: int) -> Chain:
    """Return a chain by its row's number, lost ones too."""
    return Chain(*connection.execute(select(*_CHAIN_COLUMNS).where(CHAINS.c.id == number)).one())


def attempts(connection: Connection, anchor: Anchor) -> list[SignedTransaction]:
    """Return every transaction ever signed for an anchor, newest first: any of them may be the one that is mined."""
    query = select(ANCHOR_ATTEMPTS.c.raw_tx, ANCHOR_ATTEMPTS.c.tx_hash).where(ANCHOR_ATTEMPTS.c.anchor == anchor.id)
    return [SignedTransaction(*row) for row in connection.execute(query.order_by(ANCHOR_ATTEMPTS.c.created_us.desc()))]


def plan(connection: Connection, chain: int, size: int, root: bytes, now_us: int) -> Anchor:
    """Fix the size and root of a new anchor: SEALED."""
    values = {"chain": chain, "size": size, "root": root, "state": SEALED, "updated_us": now_us}
    number = connection.execute(insert(ANCHORS).values(values).returning(ANCHORS.c.id)).scalar_one()
    return Anchor(id=number, chain=chain, size=size, root=root, state=SEALED)


def move(connection: Connection, anchor: Anchor, state: str, now_us: int, **values: Any) -> Anchor:
    """Bring an anchor into another state, or raise AnchorMoved if it is no longer as `anchor` says."""
    same = [
        ANCHORS.c.id == anchor.id,
        ANCHORS.c.state == anchor.state,
        ANCHORS.c.tx_hash.is_not_distinct_from(anchor.tx_hash),
    ]
    done = connection.execute(update(ANCHORS).where(*same).values(state=state, updated_us=now_us, **values))
    if done.rowcount != 1:
        raise AnchorMoved(f"the anchor of size {anchor.size} is no longer {anchor.state}: is another anchorer running?")
    return replace(anchor, state=state, **{name: v for name, v in values.items() if name in Anchor.__slots__})


def unprove(connection: Connection, anchor: Anchor, now_us: int) -> None:
    """Bring an anchor back whose block is gone: REORGED, without the proofs that hold in that block alone."""
    move(connection, anchor, REORGED, now_us, **UNPROVEN)
    connection.execute(delete(KEY_PROOFS).where(KEY_PROOFS.c.anchor == anchor.id))


def add_attempt(connection: Connection, anchor: Anchor, signed: SignedTransaction, now_us: int) -> None:
    """Keep a transaction before it is sent."""
    connection.execute(
        insert(ANCHOR_ATTEMPTS).values(tx_hash=signed.tx_hash, anchor=anchor.id, raw_tx=signed.raw, created_us=now_us)
    )


def replace_plan(connection: Connection, anchor: Anchor, size: int, root: bytes, now_us: int) -> Anchor:
    """Put a newer checkpoint in the place of an anchor that is not signed, or can only revert."""
    move(connection, anchor, anchor.state, now_us)
    connection.execute(delete(ANCHOR_ATTEMPTS).where(ANCHOR_ATTEMPTS.c.anchor == anchor.id))
    connection.execute(delete(ANCHORS).where(ANCHORS.c.id == anchor.id))
    return plan(connection, anchor.chain, size, root, now_us)


def add_chain(connection: Connection, made: anchor_deployment.Deployment) -> Chain:
    """Put a contract into the book; from here on it is the one that counts."""
    values = asdict(made)
    number = connection.execute(insert(CHAINS).values(values).returning(CHAINS.c.id)).scalar_one()
    return Chain(id=number, **values)


def lose_chains(connection: Connection, now_us: int) -> int:
    """Mark every contract of the chain, and its anchors, as lost; return how many anchors there were."""
    # On the chain that is made anew the same key, nonce and fees give the very same transactions, which then belong
    # to other anchors; a lost anchor keeps its own last one.
    gone = [chain.id for chain in chains(connection)]
    theirs = select(ANCHORS.c.id).where(ANCHORS.c.chain.in_(gone))
    connection.execute(delete(ANCHOR_ATTEMPTS).where(ANCHOR_ATTEMPTS.c.anchor.in_(theirs)))
    lost = update(ANCHORS).where(ANCHORS.c.chain.in_(gone), ANCHORS.c.state != FOREIGN)
    count = connection.execute(lost.values(state=CHAIN_LOST, updated_us=now_us)).rowcount
    connection.execute(update(CHAINS).where(CHAINS.c.id.in_(gone)).values(lost_us=now_us))
    return count


def end_chain(connection: Connection, chain: Chain, now_us: int) -> None:
    """Give up what is on its way to a contract that takes no more anchors."""
    for anchor in all_in_flight(connection, chain.id):
        move(connection, anchor, ENDED, now_us, **UNPROVEN)


def put_proven(connection: Connection, chain: Chain, anchor: Anchor, proof: Mapping[str, Any], now_us: int) -> None:
    """Keep an anchor that no transaction of ours made, with its proof: a successor's start, or a foreign one.

    An anchor of ours at the same size of the contract, which can only have been refused, gives way to it.
    """
    there = select(ANCHORS.c.id).where(ANCHORS.c.chain == chain.id, ANCHORS.c.size == anchor.size)
    connection.execute(delete(ANCHOR_ATTEMPTS).where(ANCHOR_ATTEMPTS.c.anchor.in_(there)))
    connection.execute(delete(ANCHORS).where(ANCHORS.c.chain == chain.id, ANCHORS.c.size == anchor.size))
    where = {"block_number": anchor.block_number, "block_hash": anchor.block_hash}
    values = {"chain": chain.id, "size": anchor.size, "root": anchor.root, "state": anchor.state, **where, **proof}
    connection.execute(insert(ANCHORS).values(values | {"updated_us": now_us}))


@contextmanager
def anchorer(store: Store, *, wait_s: int = 0) -> Iterator[bool]:
    """Hold the right to anchor, and give whether it was free (within `wait_s`); it ends with the process (rule 5)."""
    with sole(store, "anchor", wait_s=wait_s) as free:
        yield free

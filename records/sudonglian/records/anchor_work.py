"""What every step of anchoring shares: the tools it holds, where a test may kill it, what it tells the operator.

docs/anchoring.md rules 2 and 5. This room's functions do not commit, with this one named exception: a signed
transaction must be on disk before it is sent, so a step opens the store itself.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar, Final

from sqlalchemy import Connection

from sudonglian.chain import rlp
from sudonglian.chain.errors import ProofRefused
from sudonglian.chain.network import (
    AlreadyKnown,
    Fees,
    InsufficientFunds,
    Network,
    NonceTooLow,
    Underpriced,
)
from sudonglian.chain.wallet import EIP1559, Wallet, checksum_address
from sudonglian.records.anchor_book import AnchoringError, BookDamaged
from sudonglian.records.anchor_chain import raised
from sudonglian.records.store import Store

STUCK_AFTER_S: Final = 180
"""A dozen blocks of a public network: whoever waits longer has offered too little."""

SECOND_US: Final = 1_000_000

TRANSITIONS: Final = (
    "deploy.signed",
    "deploy.sent",
    "deploy.stuck",
    "deploy.dropped",
    "deploy.final",
    "order.signed",
    "order.sent",
    "order.stuck",
    "order.dropped",
    "order.done",
    "succession.planned",
    "succession.compared",
    "succession.funded",
    "succession.final",
    "chain.lost",
    "anchor.planned",
    "anchor.signed",
    "anchor.broadcast",
    "anchor.stuck",
    "anchor.unsigned",
    "anchor.mined",
    "anchor.reorged",
    "anchor.final",
    "reorg.accepted",
)
"""What is committed; at each a step stops by `<name>.before` and `<name>.after` the commit."""

SENDS: Final = ("deploy.pushed", "order.pushed", "anchor.pushed")
"""A node took a transaction and nobody has written that down yet."""

KEYS_IN_PLACE: Final = "succession.keys"
"""The new anchoring key has taken the old one's place, and the book does not know the successor yet."""

POINTS: Final = (*SENDS, KEYS_IN_PLACE, *(f"{name}.{side}" for name in TRANSITIONS for side in ("before", "after")))
"""Where a process may die, and tests kill it."""

Hook = Callable[[str], None]


EIP1559_FIELDS: Final = 12
"""Nine that are signed, three of the signature."""


class Unfunded(AnchoringError):
    """The anchoring key cannot pay."""

    slug: ClassVar[str] = "anchor-unfunded"


@dataclass(frozen=True, slots=True)
class AnchoringSettings:
    """How deep is final, how long is too long, how much is too much."""

    finality_depth: int = 0
    """Blocks on top of the anchor's block; 0 for chains of one node, which do not reorganise by themselves."""
    stuck_after_s: int = STUCK_AFTER_S
    max_fee_cap: int | None = None
    """Wei a gas; None is no cap."""
    priority_fee_cap: int | None = None
    admin: bytes | None = None
    """Who administers and may pause the contract that is made next; None is the anchoring key itself."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What one step did; `again` says that another step may do more at once."""

    did: str
    detail: str = ""
    again: bool = False
    size: int | None = None
    tx_hash: bytes | None = None
    block_number: int | None = None


class Pushed:
    """What came of sending a transaction."""

    TAKEN: Final = "taken"
    NONCE_USED: Final = "nonce-used"
    UNDERPRICED: Final = "underpriced"


@dataclass(frozen=True, slots=True)
class Work:
    """The tools of one step."""

    store: Store
    network: Network
    wallet: Wallet
    settings: AnchoringSettings
    now_us: int
    at: Hook

    @contextmanager
    def commit(self, transition: str) -> Iterator[Connection]:
        """Give a connection whose work is one transition."""
        with self.store.write() as connection:
            yield connection
            self.at(f"{transition}.before")
        self.at(f"{transition}.after")

    def push(self, raw: bytes, point: str) -> str:
        """Send a transaction that is on disk."""
        try:
            self.network.send_raw(raw)
        except AlreadyKnown:
            pass
        except NonceTooLow:
            return Pushed.NONCE_USED
        except Underpriced:
            return Pushed.UNDERPRICED
        except InsufficientFunds as error:
            raise Unfunded(error.reason, place=checksum_address(self.wallet.address)) from error
        self.at(point)
        return Pushed.TAKEN

    def fees(self, gas: int, old: Fees | None = None) -> Fees | None:
        """Return the fees to offer, above `old` if a transaction is to be replaced; None if the cap forbids it.

        Raises
        ------
        Unfunded
            The account cannot pay them.
        """
        market = self.network.fees()
        offer = market if old is None else raised(old, market)
        most, priority = self.settings.max_fee_cap, self.settings.priority_fee_cap
        if priority is not None and offer.priority_fee > priority:
            if old is not None:
                return None
            offer = Fees(offer.max_fee, priority)
        if most is not None and offer.max_fee > most:
            return None
        balance = self.network.balance(self.wallet.address)
        if balance < offer.max_fee * gas:
            raise Unfunded(
                f"has {balance} wei, an anchor may need {offer.max_fee * gas}",
                place=checksum_address(self.wallet.address),
            )
        return offer

    def is_old(self, sent_us: int | None) -> bool:
        """Return whether a transaction has waited too long."""
        return sent_us is not None and self.now_us - sent_us >= self.settings.stuck_after_s * SECOND_US


@dataclass(frozen=True, slots=True)
class SentTransaction:
    """What a signed EIP-1559 transaction says."""

    chain_id: int
    nonce: int
    priority_fee: int
    max_fee: int
    gas: int
    to: bytes
    value: int
    data: bytes

    @property
    def bid(self) -> tuple[int, int, int]:
        """Nonce and fees, as `anchors` keeps them."""
        return self.nonce, self.max_fee, self.priority_fee


def read_transaction(raw: bytes) -> SentTransaction:
    """Return what a stored transaction says.

    Raises
    ------
    BookDamaged
        The bytes are no signed EIP-1559 transaction.
    """
    try:
        if raw[:1] != EIP1559:
            raise rlp.RlpRefused("another type of transaction")
        fields = rlp.decode_list(raw[1:])
        if len(fields) != EIP1559_FIELDS:
            raise rlp.RlpRefused(f"{len(fields)} fields")
        chain_id, nonce, priority, most = (rlp.integer(one) for one in fields[:4])
        gas, value = (rlp.integer(fields[at]) for at in (4, 6))
        to, data = (rlp.string(fields[at]) for at in (5, 7))
        return SentTransaction(chain_id, nonce, priority, most, gas, to, value, data)
    except ProofRefused as error:
        raise BookDamaged(f"a stored transaction cannot be read: {error.reason}", place="anchor_attempts") from error

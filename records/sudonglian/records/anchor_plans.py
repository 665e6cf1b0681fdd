"""What is under way beside the anchors, kept in `meta`: a signed transaction of another kind, and a succession.

docs/anchoring.md rules 2 and 7, and its page on a stolen key.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, delete, insert, select

from sudonglian.chain import anchor_deployment, canonical
from sudonglian.chain.errors import CanonicalRefused
from sudonglian.chain.wallet import SignedTransaction
from sudonglian.records.anchor_book import BookDamaged
from sudonglian.records.tables import META

T = TypeVar("T")

DEPLOYMENT: Final = "deployment"
"""The key in `meta` of a deployment that was signed and is not final yet."""

ORDER: Final = "order"
"""The key in `meta` of an administrator's transaction that was signed and is not final yet."""

SUCCESSION: Final = "succession"
"""The key in `meta` of a succession that is not over yet."""


@dataclass(frozen=True, slots=True)
class Order:
    """A transaction that is no anchor: a contract's creation, a switch, a gift.

    Every transaction of it has the same nonce: at most one is mined, and what it creates has one address.
    """

    chain_id: int
    genesis: bytes
    contract: bytes
    """What it creates, or whom it calls."""
    nonce: int
    max_fee: int
    priority_fee: int
    sent_us: int | None
    attempts: tuple[SignedTransaction, ...]


@dataclass(frozen=True, slots=True)
class Succession:
    """How far the way from one contract to its successor has been gone."""

    chain: int
    """The contract that is left, as a row of `chains`."""
    anchorer: bytes
    """The new anchoring key's address."""
    doing: str = ""
    """What the order under way is for."""
    size: int | None = None
    """The last common size, None until it has been looked for."""
    root: bytes | None = None
    made: anchor_deployment.Deployment | None = None
    """The successor, once it is final."""
    is_funded: bool = False


def order(connection: Connection, key: str) -> Order | None:
    """Return the order of a key in `meta`."""
    return _get(connection, key, _read_order)


def put_order(connection: Connection, key: str, planned: Order | None) -> None:
    """Keep, replace or (None) forget the order of a key in `meta`."""
    kept = (
        None
        if planned is None
        else {
            "attempts": [{"raw": one.raw.hex(), "tx_hash": one.tx_hash.hex()} for one in planned.attempts],
            "chain_id": planned.chain_id,
            "contract": planned.contract.hex(),
            "genesis": planned.genesis.hex(),
            "max_fee": str(planned.max_fee),
            "nonce": planned.nonce,
            "priority_fee": str(planned.priority_fee),
            "sent_us": planned.sent_us,
        }
    )
    _put(connection, key, kept)


def deployment(connection: Connection) -> Order | None:
    """Return the deployment that was signed and is not final yet."""
    return order(connection, DEPLOYMENT)


def succession(connection: Connection) -> Succession | None:
    """Return the succession that is not over yet."""
    return _get(connection, SUCCESSION, _read_succession)


def put_succession(connection: Connection, plan: Succession | None) -> None:
    """Keep, replace or (None) forget the succession."""
    kept = (
        None
        if plan is None
        else {
            "anchorer": plan.anchorer.hex(),
            "chain": plan.chain,
            "doing": plan.doing,
            "funded": plan.is_funded,
            "made": None if plan.made is None else _made_json(plan.made),
            "root": None if plan.root is None else plan.root.hex(),
            "size": plan.size,
        }
    )
    _put(connection, SUCCESSION, kept)


def _made_json(made: anchor_deployment.Deployment) -> dict[str, Any]:
    hashes = {"code_hash": made.code_hash, "contract": made.contract, "genesis": made.genesis, "tx": made.deploy_tx}
    return {"block": made.deploy_block, "chain_id": made.chain_id, **{name: it.hex() for name, it in hashes.items()}}


def _read_succession(kept: Any) -> Succession:
    made = kept["made"]
    return Succession(
        chain=int(kept["chain"]),
        anchorer=bytes.fromhex(kept["anchorer"]),
        doing=str(kept["doing"]),
        size=None if kept["size"] is None else int(kept["size"]),
        root=None if kept["root"] is None else bytes.fromhex(kept["root"]),
        made=None
        if made is None
        else anchor_deployment.Deployment(
            chain_id=int(made["chain_id"]),
            genesis=bytes.fromhex(made["genesis"]),
            contract=bytes.fromhex(made["contract"]),
            code_hash=bytes.fromhex(made["code_hash"]),
            deploy_tx=bytes.fromhex(made["tx"]),
            deploy_block=int(made["block"]),
        ),
        is_funded=bool(kept["funded"]),
    )


def _read_order(kept: Any) -> Order:
    signed = [SignedTransaction(bytes.fromhex(one["raw"]), bytes.fromhex(one["tx_hash"])) for one in kept["attempts"]]
    return Order(
        chain_id=int(kept["chain_id"]),
        genesis=bytes.fromhex(kept["genesis"]),
        contract=bytes.fromhex(kept["contract"]),
        nonce=int(kept["nonce"]),
        max_fee=int(kept["max_fee"]),
        priority_fee=int(kept["priority_fee"]),
        sent_us=None if kept["sent_us"] is None else int(kept["sent_us"]),
        attempts=tuple(signed),
    )


def _get(connection: Connection, key: str, read: Callable[[Any], T]) -> T | None:
    value = connection.execute(select(META.c.value).where(META.c.key == key)).scalar_one_or_none()
    if value is None:
        return None
    try:
        return read(canonical.parse_stored(value.encode()))
    except (CanonicalRefused, KeyError, TypeError, ValueError) as error:
        raise BookDamaged(f"what is under way cannot be read: {error}", place=f"meta/{key}") from None


def _put(connection: Connection, key: str, kept: Any) -> None:
    connection.execute(delete(META).where(META.c.key == key))
    if kept is not None:
        connection.execute(insert(META).values(key=key, value=canonical.encode(kept).decode()))

"""What an operator sees of anchoring: the log, its anchors, how far they lag, what is on its way.

docs/anchoring.md; the JSON of `sudonglian status`.
"""

from typing import Any, Final

from sqlalchemy import Connection, func, select

from sudonglian.chain import anchor_contract
from sudonglian.chain.network import Network
from sudonglian.records import anchor_book as book
from sudonglian.records import anchor_chain, anchor_halt, anchor_plans, confirmation, log
from sudonglian.records.anchor_chain import Standing
from sudonglian.records.tables import ANCHORS, PENDING

SHOWN: Final = 20
"""The newest anchors; a year has thousands."""


def status(connection: Connection, network: Network | None, *, address: bytes | None = None) -> dict[str, Any]:
    """Return the state of the log's anchoring.

    With `network` also what the chain says; with `address` too its balance, and whether it may anchor.

    Raises
    ------
    AnchoringError, ChainError
        The chain contradicts the log, or does not answer.
    """
    newest = log.latest(connection)
    size = newest.size if newest else 0
    final = book.final_size(connection)
    chain = book.live_chain(connection)
    on_its_way = None if chain is None else book.in_flight(connection, chain.id)
    return {
        "log": {"size": size, "root": newest.root.hex() if newest else None},
        "anchors": _anchors(connection),
        "lag": size - final,
        "pending": int(connection.execute(select(func.count()).select_from(PENDING)).scalar_one()),
        "unconfirmed_handoffs": confirmation.unconfirmed(connection),
        "in_flight": None if on_its_way is None else _shown(on_its_way),
        "last_final_size": final,
        "halted": anchor_halt.reason(connection),
        "foreign": anchor_halt.foreign(connection),
        "succession": anchor_plans.succession(connection) is not None,
        "left": left(connection),
        "deploying": anchor_plans.deployment(connection) is not None,
        "chain": None if chain is None else _chain(connection, chain, network, address),
        "balance": None if network is None or address is None else str(network.balance(address)),
    }


def left(connection: Connection) -> list[dict[str, Any]]:
    """Return the contracts that were left for a successor, newest first, with the foreign roots that they hold."""
    found = []
    for chain in book.chains(connection)[1:]:
        query = select(ANCHORS.c.size, ANCHORS.c.root).where(
            ANCHORS.c.chain == chain.id, ANCHORS.c.state == book.FOREIGN
        )
        rows = connection.execute(query.order_by(ANCHORS.c.size))
        foreign = [{"size": size, "root": root.hex()} for size, root in rows]
        found.append({"contract": chain.contract.hex(), "foreign": foreign})
    return found


def _anchors(connection: Connection) -> list[dict[str, Any]]:
    columns = [ANCHORS.c[name] for name in book.Anchor.__slots__]
    query = select(*columns).order_by(ANCHORS.c.id.desc()).limit(SHOWN)
    return [_shown(book.Anchor(*row)) for row in connection.execute(query)]


def _shown(anchor: book.Anchor) -> dict[str, Any]:
    return {
        "size": anchor.size,
        "state": anchor.state,
        "block": anchor.block_number,
        "tx": None if anchor.tx_hash is None else anchor.tx_hash.hex(),
    }


def _chain(connection: Connection, chain: book.Chain, network: Network | None, address: bytes | None) -> dict[str, Any]:
    said: dict[str, Any] = {
        "chain_id": chain.chain_id,
        "genesis": chain.genesis.hex(),
        "contract": chain.contract.hex(),
        "code_hash": chain.code_hash.hex(),
        "deploy_block": chain.deploy_block,
    }
    if network is None:
        return said
    standing = anchor_chain.standing(network, chain)
    said["standing"] = standing.value
    said["head"] = network.head()
    if standing is Standing.SAME:
        said["on_chain_size"] = anchor_chain.compare(connection, network, chain).size
        said["paused"] = anchor_contract.paused(network, chain.contract)
        said["may_anchor"] = None if address is None else anchor_chain.may_anchor(network, chain, address)
    return said

"""The check of anchors: transactions, proofs, states, and with a network the chain itself.

docs/anchoring.md, docs/spec/contract.md.
"""

from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from sudonglian.chain import anchor_contract, canonical, merkle
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import Log as ChainLog
from sudonglian.chain.network import Network, Receipt
from sudonglian.chain.wallet import Wallet, checksum_address
from sudonglian.records import anchor_book as book
from sudonglian.records import anchor_chain, anchor_halt, anchor_plans, anchor_succession
from sudonglian.records.anchor_book import Anchor, Chain
from sudonglian.records.anchor_work import read_transaction
from sudonglian.records.fsck_log import Log
from sudonglian.records.fsck_report import Report
from sudonglian.records.keys import ANCHOR_FILE, Keys
from sudonglian.records.log import root as root_of
from sudonglian.records.store import Store
from sudonglian.records.tables import ANCHOR_ATTEMPTS, ANCHORS, CHAINS

_TX: Final = frozenset({"nonce", "raw_tx", "tx_hash", "max_fee", "priority_fee"})
_BLOCK: Final = frozenset({"block_number", "block_hash"})
_PROOF: Final = frozenset({"header", "account_proof", "storage_proof"})

HOLDS: Final = {
    book.SEALED: frozenset[str](),
    book.SIGNED: _TX,
    book.BROADCAST: _TX | {"sent_us"},
    book.STUCK: _TX,
    book.MINED: _TX | _BLOCK,
    book.REORGED: _TX,
    book.FINAL: _TX | _BLOCK | _PROOF | {"receipt"},
    book.ENDED: _TX,
    book.FOREIGN: _BLOCK | _PROOF,
}
"""What a row has in each state, and what it must not have; CHAIN_LOST keeps what it had."""

ADOPTED: Final = frozenset({book.MINED, book.REORGED, book.FINAL, book.ENDED})
"""States that an anchor can have of which no transaction of ours is known."""

OF_A_SUCCESSION: Final = frozenset({book.ENDED, book.FOREIGN})
"""States of anchors of a contract that was left for a successor."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the contract said before the database was read."""

    chain: int
    size: int
    root: bytes


def ask(report: Report, store: Store, network: Network | None) -> Said | None:
    """Return the contract's latest anchor; None if there is no contract, or no chain that answers."""
    if network is None:
        return None
    with report.watch("chains"):
        with store.read() as connection:
            chain = book.live_chain(connection)
        if chain is not None:
            found = anchor_chain.standing(network, chain)
            if found is anchor_chain.Standing.SAME:
                return Said(chain.id, *anchor_contract.latest(network, chain.contract))
            report.add("chain", f"chains/{chain.id}", f"the contract is not where it was: {found.value}")
    return None


def check(
    report: Report, connection: Connection, keys: Keys, log: Log, network: Network | None, said: Said | None
) -> None:
    """Check every row of anchoring, and hold those of the chain that counts, and the anchoring key, against it."""
    chains: dict[int, Chain] = {}
    with report.watch("chains"):
        for row in connection.execute(select(CHAINS)):
            report.count("chains")
            chains[row.id] = Chain(*(getattr(row, name) for name in Chain.__slots__))
            if row.lost_us is not None:
                report.time(f"chains/{row.id}", row.lost_us, after_us=log.created_us)
    with report.watch("chains"):
        known = book.chains(connection)
        live = known[0] if known else None
        left = {older.id: newer for newer, older in pairwise(known)}
        asked = network if said is not None and live is not None and said.chain == live.id else None
        if live is not None and asked is not None and said is not None:
            with report.watch(f"chains/{live.id}"):
                _chain(report, connection, log, asked, live, said)
            with report.watch(keys.place(ANCHOR_FILE)):
                _anchorer(report, keys, asked, live)
            for older in known[1:]:
                with report.watch(f"chains/{older.id}"):
                    _left(report, connection, asked, older, left[older.id])
        if (live is None or asked is None) and (why := anchor_halt.reason(connection)):
            # Nobody could look again: what was found stands.
            report.add("stale-store", f"meta/{anchor_halt.HALTED}", why)
        if (live is None or asked is None) and (why := anchor_halt.foreign(connection)):
            report.add("foreign-anchor", f"meta/{anchor_halt.FOREIGN}", why)
        with report.watch("meta"):
            _under_way(report, connection)
        with report.watch("anchors"):
            attempts = _attempts(report, connection, log)
            for row in connection.execute(select(ANCHORS)):
                report.count("anchors")
                with report.watch(f"anchors/{row.id}"):
                    chain = chains[row.chain]
                    lost = chain not in known
                    _state(report, row, lost=lost, left=chain.id in left)
                    _anchor(report, connection, log, row, chain, attempts.get(row.id, {}))
                    if asked is not None and not lost and row.state in (book.FINAL, book.FOREIGN):
                        _held(report, asked, chain, row)


def _chain(report: Report, connection: Connection, log: Log, network: Network, chain: Chain, said: Said) -> None:
    place = f"chains/{chain.id}"
    if said.size > log.size:
        why = anchor_chain.stale(said.size, log.size)
        anchor_halt.remember(connection, said.size, why)
        report.add("stale-store", place, why)
    elif said.size and (due := root_of(connection, said.size)) != said.root:
        why = f"the contract holds {said.root.hex()}, our log has {due.hex()}"
        anchor_halt.tell_foreign(connection, why)
        report.add("foreign-anchor", place, why)
    else:
        anchor_halt.clear(connection)
    _made(report, network, chain)


def _made(report: Report, network: Network, chain: Chain) -> None:
    place = f"chains/{chain.id}"
    receipt = network.receipt(chain.deploy_tx)
    if receipt is None:
        report.add("chain", place, "the node has no receipt of the deployment")
    else:
        report.same("chain", place, chain.contract, receipt.contract_address)
        report.same("chain", place, chain.deploy_block, receipt.block_number)


def _left(report: Report, connection: Connection, network: Network, chain: Chain, successor: Chain) -> None:
    """Check a contract that was left: frozen for its successor, and what it holds that is not ours is in the book."""
    place = f"chains/{chain.id}"
    identity = network.identity()
    report.same("chain", place, (chain.chain_id, chain.genesis), (identity.chain_id, identity.genesis))
    report.same("chain", place, chain.code_hash, keccak256(network.code(chain.contract)))
    report.same("chain", place, anchor_contract.successor(network, chain.contract), successor.contract)
    _made(report, network, chain)
    due = {(one.size, one.root) for one in anchor_succession.compare(connection, network, chain).foreign}
    query = select(ANCHORS.c.size, ANCHORS.c.root).where(ANCHORS.c.chain == chain.id, ANCHORS.c.state == book.FOREIGN)
    held = {(size, bytes(root)) for size, root in connection.execute(query)}
    for size, root in sorted(due ^ held):
        said = "the contract holds it, the book does not" if (size, root) in due else "the contract does not hold it"
        report.add("foreign-anchor", place, f"foreign root {root.hex()} of size {size}: {said}")


def _under_way(report: Report, connection: Connection) -> None:
    """Check what was signed and is no anchor, and how far a succession is."""
    for key in (anchor_plans.DEPLOYMENT, anchor_plans.ORDER):
        planned = anchor_plans.order(connection, key)
        if planned is None:
            continue
        place = f"meta/{key}"
        for one in planned.attempts:
            said = read_transaction(one.raw)
            report.same("transaction", place, one.tx_hash, keccak256(one.raw))
            report.same("transaction", place, said.chain_id, planned.chain_id)
            report.same("transaction", place, said.nonce, planned.nonce)
            report.same("transaction", place, said.to or planned.contract, planned.contract)
        last = read_transaction(planned.attempts[-1].raw).bid
        report.same("transaction", place, (planned.nonce, planned.max_fee, planned.priority_fee), last)
    plan = anchor_plans.succession(connection)
    if plan is None:
        return
    live = book.live_chain(connection)
    report.same("succession", "meta/succession", plan.chain, None if live is None else live.id)
    if plan.size:
        report.same("succession", "meta/succession", plan.root, root_of(connection, plan.size))


def _anchorer(report: Report, keys: Keys, network: Network, chain: Chain) -> None:
    # It is made when a chain is first met, and may lie elsewhere: a missing one is no fault.
    if keys.folder is None or not (keys.folder / ANCHOR_FILE).exists():
        return
    report.count("anchor_key")
    address = Wallet.load(keys.folder / ANCHOR_FILE).address
    if not anchor_chain.may_anchor(network, chain, address):
        detail = f"{checksum_address(address)} has not the role ANCHORER in {checksum_address(chain.contract)}"
        report.add("anchor-key", keys.place(ANCHOR_FILE), detail)


def _attempts(report: Report, connection: Connection, log: Log) -> dict[int, dict[bytes, bytes]]:
    found: dict[int, dict[bytes, bytes]] = {}
    for row in connection.execute(select(ANCHOR_ATTEMPTS)):
        place = f"anchor_attempts/{row.tx_hash.hex()}"
        report.count("anchor_attempts")
        report.same("transaction", place, row.tx_hash, keccak256(bytes(row.raw_tx)))
        report.time(place, row.created_us, after_us=log.created_us)
        found.setdefault(row.anchor, {})[row.tx_hash] = row.raw_tx
    return found


def _anchor(
    report: Report, connection: Connection, log: Log, row: Row[Any], chain: Chain, attempts: dict[bytes, bytes]
) -> None:
    place = f"anchors/{row.id}"
    report.time(place, row.updated_us, after_us=log.created_us)
    if row.sent_us is not None:
        report.time(place, row.sent_us, after_us=log.created_us, before_us=row.updated_us)
    if row.state != book.FOREIGN:
        report.same("anchor-root", place, row.root, log.roots.get(row.size))
    elif row.root == log.roots.get(row.size):
        report.add("anchor-root", place, "a root of our own log is no foreign one")
    for raw in attempts.values():
        _transaction(report, log, row, chain, raw, place)
    if row.raw_tx is not None:
        report.same("transaction", place, row.tx_hash, keccak256(bytes(row.raw_tx)))
        said = read_transaction(bytes(row.raw_tx))
        report.same("transaction", place, (row.nonce, row.max_fee, row.priority_fee), said.bid)
        _transaction(report, log, row, chain, row.raw_tx, place)
        if row.state != book.CHAIN_LOST and row.tx_hash not in attempts:
            report.add("transaction", place, "its transaction is not among its attempts")
    if row.header is not None:
        _material(report, connection, log, row, chain, place)


def _state(report: Report, row: Row[Any], *, lost: bool, left: bool) -> None:
    place = f"anchors/{row.id}"
    if row.state not in book.STATES or (row.state == book.CHAIN_LOST and not lost):
        report.add("anchor-state", place, f"{row.state!r:.40} cannot be")
    elif lost and row.state not in (book.CHAIN_LOST, book.FOREIGN):
        report.add("anchor-state", place, f"{row.state} and a chain that is lost do not go together")
    elif not lost and left != (row.state in OF_A_SUCCESSION) and row.state != book.FINAL:
        report.add("anchor-state", place, f"{row.state} cannot be in {'a contract that was left' if left else 'ours'}")
    elif row.state in HOLDS:
        _holds(report, row, place)


def _holds(report: Report, row: Row[Any], place: str) -> None:
    due = HOLDS[row.state]
    if row.state in ADOPTED and row.raw_tx is None:
        due = due - _TX - {"receipt"}
    for name in sorted(_TX | _BLOCK | _PROOF | {"receipt"}):
        if (getattr(row, name) is not None) != (name in due):
            report.add("anchor-state", place, f"{row.state} and {name} do not go together")
    if row.state == book.BROADCAST and row.sent_us is None:
        report.add("anchor-state", place, "BROADCAST and never sent")


def _transaction(report: Report, log: Log, row: Row[Any], chain: Chain, raw: bytes, place: str) -> None:
    said = read_transaction(bytes(raw))
    report.same("transaction", place, (said.chain_id, said.to), (chain.chain_id, chain.contract))
    meta = sha256(log.notes.get(row.size, "").encode()).digest()
    begin = anchor_contract.anchor_data(row.size, log.roots.get(row.size, bytes(32)), [], meta)
    # Selector, size, root, the proof's place, meta; the proof depends on what the contract held then.
    report.same("transaction", place, said.data[: 4 + 4 * 32], begin[: 4 + 4 * 32])


def _material(report: Report, connection: Connection, log: Log, row: Row[Any], chain: Chain, place: str) -> None:
    anchor = Anchor(*(getattr(row, name) for name in Anchor.__slots__))
    anchor_chain.check_material(chain, anchor, row.header, row.account_proof, row.storage_proof)
    if row.receipt is None:
        return
    receipt = _receipt(canonical.parse_stored(bytes(row.receipt)))
    report.same("receipt", place, bytes(row.receipt), anchor_chain.receipt_bytes(receipt))
    report.same("receipt", place, receipt.status, 1)
    said = (receipt.tx_hash, receipt.block_number, receipt.block_hash)
    report.same("receipt", place, said, (row.tx_hash, row.block_number, row.block_hash))
    meta = sha256(log.notes.get(row.size, "").encode()).digest()
    events = anchor_contract.anchored_events(receipt.logs, chain.contract)
    said_so = [(one.size, one.root, one.meta) for one in events]
    report.same("receipt", place, said_so, [(row.size, row.root, meta)])
    for one in events:
        # What the contract held before is what the transaction's proof begins from.
        path = anchor_contract.proof_in(read_transaction(bytes(row.raw_tx)).data)
        if one.previous_size or path:
            before = root_of(connection, one.previous_size)
            merkle.verify_consistency(one.previous_size, before, row.size, row.root, path)


def _receipt(value: Any) -> Receipt:
    return Receipt(
        status=value["status"],
        block_number=value["block_number"],
        block_hash=bytes.fromhex(value["block_hash"]),
        tx_hash=bytes.fromhex(value["tx_hash"]),
        gas_used=value["gas_used"],
        logs=tuple(
            ChainLog(
                bytes.fromhex(one["address"]),
                tuple(bytes.fromhex(topic) for topic in one["topics"]),
                bytes.fromhex(one["data"]),
            )
            for one in value["logs"]
        ),
        contract_address=None,
    )


def _held(report: Report, network: Network, chain: Chain, row: Row[Any]) -> None:
    place = f"anchors/{row.id}"
    found = anchor_chain.canonical_block(network, row.block_number, row.block_hash)
    if not found:
        detail = "the node's head is below its block" if found is None else "another block stands there"
        report.add("anchor-block", place, f"block {row.block_number}: {detail}")
    report.same("anchor-chain", place, anchor_contract.root_at(network, chain.contract, row.size), row.root)
    if row.tx_hash is not None and (receipt := network.receipt(row.tx_hash)) is not None:
        report.same("receipt", place, bytes(row.receipt), anchor_chain.receipt_bytes(receipt))

"""The registry of parties' keys in the contract: the registrar's transactions, and what is known of each key.

docs/spec/contract.md (Parties), docs/signing.md; docs/anchoring.md rules 2, 3 and 5; docs/decisions/0412 (why this
cannot disturb an anchor that the same key pays for).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from sqlalchemy import Connection, select

from sudonglian.chain import anchor_contract, rlp, secp256k1
from sudonglian.chain.anchor_contract import Party
from sudonglian.chain.errors import ProofRefused, SudonglianError
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import CallReverted, Network, Receipt
from sudonglian.chain.wallet import EIP1559, SignedTransaction, Transaction, Wallet, checksum_address
from sudonglian.records import anchor_book
from sudonglian.records.anchor_book import BookDamaged, Chain
from sudonglian.records.anchor_work import AnchoringSettings, Hook, Pushed, Work, read_transaction
from sudonglian.records.derive import micros
from sudonglian.records.signatures import require_registry
from sudonglian.records.store import Store, insert_new
from sudonglian.records.tables import REGISTRATIONS

REGISTRY_GAS: Final = 200_000
"""Measured 104 k for a registration, which writes two slots; a rotation writes three: 115 k."""

OPEN_END: Final = anchor_contract.MAX_SIZE
"""`validTo` of a key without an end."""

POLL_S: Final = 0.2

UNSETTLED: Final = frozenset({anchor_book.SIGNED, anchor_book.BROADCAST, anchor_book.STUCK, anchor_book.REORGED})
"""States of an anchor whose transaction may still be sent: its nonce is taken, though no block holds it."""

REGISTER: Final = anchor_contract.selector("register(address,bytes32,uint64,uint64,uint8)")
ROTATE: Final = anchor_contract.selector("rotate(address,address,uint64)")
REVOKE: Final = anchor_contract.selector("revoke(address)")
LENGTHS: Final = {REGISTER: 4 + 5 * 32, ROTATE: 4 + 3 * 32, REVOKE: 4 + 32}

NO_ROLE: Final = "AccessControlUnauthorizedAccount"


class RegistryError(SudonglianError):
    """The registry cannot be written."""

    slug: ClassVar[str] = "registry"


class RegistryRefused(RegistryError):
    """The contract refuses what is asked of it."""

    slug = "registry-refused"


class NotRegistrar(RegistryError):
    """The key that pays has not the role REGISTRAR."""

    slug = "not-registrar"


class RegistryBusy(RegistryError):
    """The key that pays has another transaction on its way."""

    slug = "registry-busy"


@dataclass(frozen=True, slots=True)
class Sent:
    """A registrar's transaction; `block_number` None while no block holds it."""

    tx_hash: bytes
    block_number: int | None


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A key that was registered from here: whose, as far as that was said, and by which transaction."""

    address: bytes
    party: str | None
    tx_hash: bytes


def _nowhere(_point: str) -> None:
    """Pass every crash point."""


def send(
    store: Store,
    network: Network,
    registrar: Wallet,
    anchorer: bytes,
    data: bytes,
    settings: AnchoringSettings,
    clock: Callable[[], datetime],
    *,
    party: str | None = None,
    wait_s: int = 0,
    at: Hook = _nowhere,
) -> Sent:
    """Send a call of the registrar: tried first, saved before it is sent, waited for.

    Parameters
    ----------
    store, network, settings, clock
        As for a step of anchoring.
    registrar, anchorer
        Who pays, and the address of the anchoring key, which may be the same: then it waits for an anchor on its way.
    data
        The call: `anchor_contract.register_data` and its like.
    party
        The normal URI of the party that is registered, kept for people: the contract has its hash alone.
    wait_s
        How long to wait for the key to be free, and then for a block.
    at
        Called at `registry.saved` and `registry.pushed`: where a test kills it.

    Raises
    ------
    NoRegistry
        There is no contract to write to.
    RegistryRefused, NotRegistrar
        The contract would refuse it, or did.
    RegistryBusy
        The key was not free in time; nothing was sent.
    AnchoringError, ChainError
        As a step of anchoring.
    """
    until = time.monotonic() + wait_s
    while True:
        # The anchorer's own lock: between looking whether its key is free and using it no anchor may be signed.
        with anchor_book.anchorer(store) as free:
            if free:
                work = Work(store, network, registrar, settings, micros(clock()), at)
                found = _chain(work)
                why = _busy(work, found, anchorer)
                if why is None:
                    signed = _save(work, found, data, party)
                    return _push(work, signed, until)
            else:
                why = "another process is anchoring"
        if time.monotonic() >= until:
            raise RegistryBusy(f"{why}; nothing was sent", place=checksum_address(registrar.address))
        time.sleep(POLL_S)


def waits(work: Work, chain: Chain) -> bool:
    """Return whether a registrar's transaction of the anchoring key is on its way to a block.

    An anchor that took its nonce would replace it. One that has waited too long may be replaced: it is sent again by
    whoever asks for it again.
    """
    rows = _rows(work, chain)
    if not rows:
        return False
    due = work.network.nonce(work.wallet.address)
    for raw, created_us in rows:
        is_ahead = read_transaction(raw).nonce >= due and not work.is_old(created_us)
        if is_ahead and work.network.transaction_known(keccak256(raw)):
            return True
    return False


def fill_gap(work: Work, chain: Chain, nonce: int | None) -> None:
    """Send again what a replaced block took with it: an anchor cannot be mined before the nonces below its own."""
    rows = [] if nonce is None else _rows(work, chain)
    if nonce is None or not rows:
        return
    due = work.network.nonce(work.wallet.address)
    missing = sorted((said.nonce, raw) for raw, _ in rows if due <= (said := read_transaction(raw)).nonce < nonce)
    for _, raw in missing:
        work.push(raw, "registry.pushed")


def known_keys(connection: Connection, chain: Chain) -> list[KnownKey]:
    """Return the keys that were registered from here, in order; whether the chain took them it says itself."""
    query = select(REGISTRATIONS).where(REGISTRATIONS.c.chain == chain.id).order_by(REGISTRATIONS.c.created_us)
    found: dict[bytes, KnownKey] = {}
    for row in connection.execute(query):
        data = read_transaction(row.raw_tx).data
        if data[:4] == REGISTER:
            found[data[16:36]] = KnownKey(data[16:36], row.party, row.tx_hash)
        elif data[:4] == ROTATE:
            old = found.get(data[16:36])
            found[data[48:68]] = KnownKey(data[48:68], old.party if old else None, row.tx_hash)
    return list(found.values())


def party_names(connection: Connection) -> dict[bytes, str]:
    """Return the URIs of the parties registered from here, by the hash that stands for them in the registry."""
    query = select(REGISTRATIONS.c.party).where(REGISTRATIONS.c.party.is_not(None)).distinct()
    return {anchor_contract.party_id(row.party): row.party for row in connection.execute(query)}


def entry_of(network: Network, chain: Chain | None, key: bytes) -> Party | None:
    """Return a key's entry at the chain's head.

    Raises
    ------
    NoRegistry
        There is no contract to ask.
    """
    return anchor_contract.party(network, require_registry(network, chain).contract, key)


def sender_of(raw: bytes) -> bytes:
    """Return who signed a stored transaction.

    Raises
    ------
    BookDamaged
        Nobody can have.
    """
    said = read_transaction(raw)
    try:
        fields = rlp.decode_list(raw[1:])
        digest = keccak256(EIP1559 + rlp.encode(fields[:-3]))
        parity, r, s = (rlp.integer(one) for one in fields[-3:])
        return secp256k1.recover(digest, r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([parity]))
    except (ProofRefused, OverflowError, ValueError) as error:
        raise BookDamaged(f"nobody signed the transaction with nonce {said.nonce}", place="registrations") from error


def _rows(work: Work, chain: Chain) -> list[tuple[bytes, int]]:
    query = select(REGISTRATIONS.c.raw_tx, REGISTRATIONS.c.created_us).where(REGISTRATIONS.c.chain == chain.id)
    with work.store.read() as connection:
        rows = [(bytes(row.raw_tx), int(row.created_us)) for row in connection.execute(query)]
    return [one for one in rows if sender_of(one[0]) == work.wallet.address]


def _chain(work: Work) -> Chain:
    with work.store.read() as connection:
        chain = anchor_book.live_chain(connection)
    return require_registry(work.network, chain)


def _busy(work: Work, chain: Chain, anchorer: bytes) -> str | None:
    with work.store.read() as connection:
        anchor = anchor_book.in_flight(connection, chain.id)
    if anchor is not None and anchor.state in UNSETTLED and anchorer == work.wallet.address:
        return f"the anchor of size {anchor.size} is on its way with the same key (`sudonglian anchor` finishes it)"
    due, waiting = (work.network.nonce(work.wallet.address, pending=pending) for pending in (False, True))
    return None if waiting <= due else "a transaction of this key is not in a block yet"


def _save(work: Work, chain: Chain, data: bytes, party: str | None) -> SignedTransaction:
    try:
        work.network.call(chain.contract, data, sender=work.wallet.address)
    except CallReverted as reverted:
        raise _refusal(work, reverted) from reverted
    fees = work.fees(REGISTRY_GAS)
    if fees is None:
        raise RegistryBusy("the network asks for higher fees than the cap; nothing was sent")
    signed = work.wallet.sign(
        Transaction(
            chain_id=chain.chain_id,
            nonce=work.network.nonce(work.wallet.address),
            max_fee=fees.max_fee,
            priority_fee=fees.priority_fee,
            gas=REGISTRY_GAS,
            to=chain.contract,
            data=data,
        )
    )
    row = {"chain": chain.id, "tx_hash": signed.tx_hash, "raw_tx": signed.raw, "party": party}
    with work.store.write() as connection:
        # The same call with the same nonce and fees is the same transaction: a process died before it was sent.
        connection.execute(insert_new(connection, REGISTRATIONS).values(row | {"created_us": work.now_us}))
    work.at("registry.saved")
    return signed


def _push(work: Work, signed: SignedTransaction, until: float) -> Sent:
    if work.push(signed.raw, "registry.pushed") != Pushed.TAKEN:
        raise RegistryBusy("another transaction of this key took the nonce; ask again")
    while True:
        receipt = work.network.receipt(signed.tx_hash)
        if receipt is not None:
            return _mined(receipt)
        if time.monotonic() >= until:
            return Sent(signed.tx_hash, None)
        time.sleep(POLL_S)


def _mined(receipt: Receipt) -> Sent:
    if receipt.status != 1:
        raise RegistryRefused(f"refused in block {receipt.block_number}", place=f"0x{receipt.tx_hash.hex()}")
    return Sent(receipt.tx_hash, receipt.block_number)


def _refusal(work: Work, reverted: CallReverted) -> RegistryError:
    said = anchor_contract.decode_error(reverted.data)
    place = checksum_address(work.wallet.address)
    if said.name == NO_ROLE:
        return NotRegistrar("this key has not the role REGISTRAR in the contract", place=place)
    return RegistryRefused(f"the contract refuses it: {said}", place=place)

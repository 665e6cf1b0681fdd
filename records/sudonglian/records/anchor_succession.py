"""The way from one contract to its successor: pause, find the last common size, deploy, pay, freeze, switch the book.

docs/anchoring.md (a stolen key). Every step looks at the chain first and is saved before it is sent.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from sqlalchemy import Connection, select

from sudonglian.chain import anchor_contract, anchor_deployment, slots
from sudonglian.chain.anchor_contract import Anchored
from sudonglian.chain.errors import ChainError
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import Block, Network, Receipt
from sudonglian.chain.wallet import checksum_address
from sudonglian.records import anchor_book as book
from sudonglian.records import anchor_chain, anchor_deploy, anchor_halt, anchor_order, anchor_plans, log
from sudonglian.records.anchor_book import Anchor, AnchoringError, Chain
from sudonglian.records.anchor_chain import ONE_NODE_CHAINS, Standing
from sudonglian.records.anchor_order import SWITCH, Wanted
from sudonglian.records.anchor_plans import Order, Succession
from sudonglian.records.anchor_work import KEYS_IN_PLACE, Progress, Work, read_transaction
from sudonglian.records.tables import CHECKPOINTS

GIFT_GAS: Final = 21_000
GIFT_ANCHORS: Final = 100
"""For how many anchors the administrator pays the new key, if it has nothing: some days, until somebody sends more."""

PAUSE: Final = anchor_contract.pause_data(paused=True)
UNPAUSE: Final = anchor_contract.pause_data(paused=False)


class SuccessionRefused(AnchoringError):
    """A contract cannot be left, or not for this successor."""

    slug: ClassVar[str] = "succession"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What of a contract's anchors is our log's."""

    size: int
    """The last common size, 0 if there is none."""
    root: bytes
    foreign: tuple[Anchored, ...]
    """The first and the last anchor after it, if there are any: states that our log never had."""


@dataclass(frozen=True, slots=True)
class Heir:
    """Who anchors in the successor, and what the operator says about the log."""

    anchorer: bytes
    """The new key's address."""
    log_is_whole: bool
    """Whether what the contract holds beyond our log is not ours: there is no newer backup."""
    install: Callable[[], None]
    """Puts the new key where the anchorer looks for it; done twice it does no harm."""


def compare(connection: Connection, network: Network, chain: Chain) -> Comparison:
    """Return the last state that a contract and our log have in common, and what came after it.

    Raises
    ------
    SuccessionRefused
        The contract does not hold an anchor that our book calls final.
    """
    ours = log.size(connection)
    events = [said for _, said in anchor_contract.anchorings(network, chain.contract, chain.deploy_block)]
    common = [one for one in events if one.size <= ours and log.root(connection, one.size) == one.root]
    # A thief may anchor states of ours at which no checkpoint was signed: they are no harm, and no place to begin.
    sealed = set(connection.execute(select(CHECKPOINTS.c.size)).scalars())
    begin = ((one.size, one.root) for one in common if one.size in sealed)
    size, root = max(begin, default=(0, anchor_contract.ZERO_WORD))
    place = checksum_address(chain.contract)
    if size and anchor_contract.root_at(network, chain.contract, size) != root:
        raise SuccessionRefused(f"the node contradicts itself about size {size}", place=place)
    final = next(iter(book.finals(connection, chain.id, limit=1)), None)
    if final is not None and final.size > size:
        raise SuccessionRefused(f"our final anchor of size {final.size} is not in the contract", place=place)
    known = {one.size for one in common}
    after = sorted((one for one in events if one.size not in known), key=lambda one: one.size)
    return Comparison(size, root, tuple(dict.fromkeys((after[0], after[-1]))) if after else ())


def succeed(work: Work, heir: Heir) -> Progress:
    """Take the next step from the contract that counts to a successor; `work.wallet` is the administrator.

    Raises
    ------
    AnchoringError, ChainError
        Why it cannot go on. Nothing is lost, the next step looks again.
    """
    with book.anchorer(work.store) as free:
        if not free:
            return Progress("busy", "another process is anchoring")
        chain, plan, order = _known(work)
        if order is not None:
            done = anchor_order.resume(work, SWITCH, order)
            return done if isinstance(done, Progress) else _settle(work, plan, order, done)
        if plan is None:
            return _plan(work, chain, heir)
        if plan.anchorer != heir.anchorer:
            due, given = checksum_address(plan.anchorer), checksum_address(heir.anchorer)
            raise SuccessionRefused(f"it was begun with the new anchoring key {due}, this one is {given}")
        return _next(work, chain, plan, heir)


def switch(work: Work, *, paused: bool) -> Progress:
    """Take the next step to pause or resume the contract that counts; `work.wallet` holds PAUSER."""
    with book.anchorer(work.store) as free:
        if not free:
            return Progress("busy", "another process is anchoring")
        chain, plan, order = _known(work)
        if plan is not None and not paused:
            raise SuccessionRefused("a succession has begun; it ends by `sudonglian contract succeed`")
        if order is not None:
            done = anchor_order.resume(work, SWITCH, order)
            return done if isinstance(done, Progress) else _settle(work, plan, order, done)
        if anchor_contract.paused(work.network, chain.contract) == paused:
            return Progress("done", "paused" if paused else "not paused")
        _require_pauser(work, chain)
        return _order(work, Wanted(chain.contract, PAUSE if paused else UNPAUSE, anchor_deployment.CALL_GAS))


def follow(work: Work, deploy_tx: bytes | None = None) -> Progress:
    """Let the book go on in the successor that a frozen contract names; `work.wallet` is the anchoring key.

    Raises
    ------
    SuccessionRefused
        The contract names none, or one that is not ours or does not start at a state of our log.
    """
    with book.anchorer(work.store) as free:
        if not free:
            return Progress("busy", "another process is anchoring")
        chain, _, _ = _known(work)
        place = checksum_address(chain.contract)
        address = anchor_contract.successor(work.network, chain.contract)
        if address is None:
            raise SuccessionRefused("the contract is not frozen: it names no successor", place=place)
        made, start = _found(work.network, chain, address, deploy_tx)
        if not _is_settled(work, chain, made):
            return Progress("waiting", "the freeze or the successor is not final yet")
        with work.store.read() as connection:
            ours = log.size(connection)
            if start.size > ours:
                raise anchor_chain.StaleStore(anchor_chain.stale(start.size, ours), place=checksum_address(address))
            if start.size and log.root(connection, start.size) != start.root:
                raise SuccessionRefused(
                    f"{checksum_address(address)} starts at size {start.size} with a root that our log never had",
                    place=place,
                )
        if not anchor_contract.has_role(work.network, address, anchor_contract.ROLE_ANCHORER, work.wallet.address):
            raise SuccessionRefused(
                f"{checksum_address(work.wallet.address)} has not the role ANCHORER there; put the new anchoring key "
                "into the key folder",
                place=checksum_address(address),
            )
        return _switch_book(work, chain, made, start.size, start.root)


def _known(work: Work) -> tuple[Chain, Succession | None, Order | None]:
    """Return the contract that counts, which the node has, and what is under way."""
    with work.store.read() as connection:
        chain, plan = book.live_chain(connection), anchor_plans.succession(connection)
        order = anchor_plans.order(connection, SWITCH.key)
    if chain is None:
        raise SuccessionRefused("there is no contract yet")
    if anchor_chain.standing(work.network, chain) is not Standing.SAME:
        raise SuccessionRefused("the node does not have the contract", place=checksum_address(chain.contract))
    return chain, plan, order


def _found(
    network: Network, chain: Chain, address: bytes, deploy_tx: bytes | None
) -> tuple[anchor_deployment.Deployment, Anchored]:
    place = checksum_address(address)
    code_hash = keccak256(network.code(address))
    if code_hash != anchor_contract.artifact().code_hash:
        raise SuccessionRefused(
            f"the successor's code hash is {code_hash.hex()}, not that of our contract", place=place
        )
    events = anchor_contract.anchorings(network, address, chain.deploy_block)
    start = Anchored(0, anchor_contract.ZERO_WORD, 0, anchor_contract.ZERO_WORD)
    for found, said in events[:1]:
        receipt = network.receipt(found.tx_hash)
        if receipt is not None and receipt.contract_address == address:
            deploy_tx, start = found.tx_hash, said
    receipt = None if deploy_tx is None else network.receipt(deploy_tx)
    if receipt is None or receipt.contract_address != address:
        raise SuccessionRefused("by which transaction it was made is not known: name it (--deploy-tx)", place=place)
    made = anchor_deployment.Deployment(
        chain.chain_id, chain.genesis, address, code_hash, receipt.tx_hash, receipt.block_number
    )
    return made, start


def _is_settled(work: Work, chain: Chain, made: anchor_deployment.Deployment) -> bool:
    """Return whether freeze and successor are deep enough."""
    block = anchor_chain.settled_block(work.network, work.settings.finality_depth)
    proof = work.network.proof(chain.contract, [slots.switches_slot()], block.number)
    return block.number >= made.deploy_block and slots.successor_of(proof.storage[0][1]) == made.contract


def _plan(work: Work, chain: Chain, heir: Heir) -> Progress:
    place = checksum_address(chain.contract)
    if anchor_contract.successor(work.network, chain.contract) is not None:
        raise SuccessionRefused("it is frozen already: `sudonglian contract follow` goes on there", place=place)
    admin = anchor_contract.admin(work.network, chain.contract)
    if admin != work.wallet.address:
        mine = checksum_address(work.wallet.address)
        raise SuccessionRefused(f"its administrator is {checksum_address(admin)}, this key is {mine}", place=place)
    if anchor_chain.may_anchor(work.network, chain, heir.anchorer):
        raise SuccessionRefused("the new anchoring key is the old one", place=checksum_address(heir.anchorer))
    if not anchor_contract.paused(work.network, chain.contract):
        _require_pauser(work, chain)
    with work.store.read() as connection:
        _require_whole(compare(connection, work.network, chain), heir, place)
    with work.commit("succession.planned") as connection:
        anchor_plans.put_succession(connection, Succession(chain.id, heir.anchorer))
    return Progress("succession-planned", f"{place} is left for a successor", again=True)


def _next(work: Work, chain: Chain, plan: Succession, heir: Heir) -> Progress:
    place = checksum_address(chain.contract)
    successor = anchor_contract.successor(work.network, chain.contract)
    if successor is not None and (plan.made is None or successor != plan.made.contract):
        _give_up(work)
        raise SuccessionRefused("somebody froze it first: `sudonglian contract follow` goes on there", place=place)
    if successor is None and not anchor_contract.paused(work.network, chain.contract):
        return _order(work, Wanted(chain.contract, PAUSE, anchor_deployment.CALL_GAS))
    if plan.size is None or plan.root is None:
        return _compare(work, chain, plan, heir)
    if plan.made is None:
        admin = work.wallet.address
        data = anchor_contract.deploy_data(
            admin,
            anchorer=plan.anchorer,
            pauser=admin,
            registrar=plan.anchorer,
            admin_delay_s=anchor_deploy.ADMIN_DELAY_S,
            start_size=plan.size,
            start_root=plan.root,
        )
        return _order(work, Wanted(None, data, anchor_deployment.DEPLOY_GAS))
    if not plan.is_funded:
        return _fund(work, plan)
    if successor is None:
        data = anchor_contract.freeze_data(plan.made.contract)
        return _order(work, Wanted(chain.contract, data, anchor_deployment.CALL_GAS))
    if keccak256(work.network.code(plan.made.contract)) != plan.made.code_hash:
        raise anchor_chain.ContractGone("the successor is gone", place=checksum_address(plan.made.contract))
    heir.install()
    work.at(KEYS_IN_PLACE)
    return _switch_book(work, chain, plan.made, plan.size, plan.root)


def _compare(work: Work, chain: Chain, plan: Succession, heir: Heir) -> Progress:
    with work.store.read() as connection:
        found = compare(connection, work.network, chain)
    _require_whole(found, heir, checksum_address(chain.contract))
    with work.commit("succession.compared") as connection:
        anchor_plans.put_succession(connection, replace(plan, size=found.size, root=found.root))
    foreign = ", ".join(str(one.size) for one in found.foreign) or "none"
    return Progress("compared", f"foreign sizes: {foreign}", again=True, size=found.size)


def _fund(work: Work, plan: Succession) -> Progress:
    price = work.network.fees().max_fee
    due = GIFT_ANCHORS * anchor_contract.ANCHOR_GAS * price - work.network.balance(plan.anchorer)
    # Fees may double before the freeze is paid for.
    own = 2 * price * (GIFT_GAS + anchor_deployment.CALL_GAS)
    spare = max(work.network.balance(work.wallet.address) - own, 0) // 2
    one_node = work.network.identity().chain_id in ONE_NODE_CHAINS
    # Where money is only a number nobody else can send any.
    gift = spare if one_node and due > 0 else min(due, spare)
    if gift > 0:
        return _order(work, Wanted(plan.anchorer, b"", GIFT_GAS, gift))
    with work.commit("succession.funded") as connection:
        anchor_plans.put_succession(connection, replace(plan, is_funded=True))
    who = checksum_address(plan.anchorer)
    return Progress("funded", f"send money to {who}" if due > 0 else f"{who} has enough", again=True)


def _order(work: Work, wanted: Wanted) -> Progress:
    return anchor_order.begin(work, SWITCH, wanted, _doing(wanted.to or b"", wanted.data))


def _settle(work: Work, plan: Succession | None, order: Order, receipt: Receipt) -> Progress:
    said = read_transaction(order.attempts[-1].raw)
    doing = _doing(said.to, said.data)
    if receipt.status != 1:
        anchor_order.drop(work, SWITCH, "reverted")
        raise SuccessionRefused(f"refused by the contract: {doing}", place=checksum_address(order.contract))
    if plan is not None and not said.to:
        plan = replace(plan, made=anchor_deploy.made_by(work.network, order, receipt))
    if plan is not None and said.value:
        plan = replace(plan, is_funded=True)
    with work.commit("order.done") as connection:
        anchor_plans.put_order(connection, SWITCH.key, None)
        anchor_plans.put_succession(connection, plan)
    return Progress("order-done", doing, again=True, tx_hash=receipt.tx_hash, block_number=receipt.block_number)


def _doing(to: bytes, data: bytes) -> str:
    if not to:
        return "deploy the successor"
    return {PAUSE: "pause", UNPAUSE: "unpause", b"": "pay the new anchoring key"}.get(data, "freeze")


def _give_up(work: Work) -> None:
    with work.commit("order.dropped") as connection:
        anchor_plans.put_succession(connection, None)


def _switch_book(work: Work, chain: Chain, made: anchor_deployment.Deployment, size: int, root: bytes) -> Progress:
    network = work.network
    with work.store.read() as connection:
        foreign = compare(connection, network, chain).foreign
        waiting = book.all_in_flight(connection, chain.id)
    settled = anchor_chain.settled_block(network, work.settings.finality_depth)
    evidence = [_proof(network, chain, one.size, one.root, book.FOREIGN, settled) for one in foreign]
    for found, said in anchor_contract.anchorings(network, chain.contract, chain.deploy_block):
        # The contract took what was on its way before it was left: that anchor stands for good.
        if any((one.size, one.root) == (said.size, said.root) for one in waiting):
            own = network.block(found.block_number)
            evidence.append(_own_proof(network, chain, said.size, said.root, own, settled))
    start = None
    if size:
        new = Chain(0, *(getattr(made, name) for name in anchor_deployment.Deployment.__slots__))
        start = _own_proof(network, new, size, root, network.block(made.deploy_block), settled)
    with work.commit("succession.final") as connection:
        book.end_chain(connection, chain, work.now_us)
        for held, shown in evidence:
            book.put_proven(connection, chain, held, shown, work.now_us)
        live = book.add_chain(connection, made)
        if start is not None:
            book.put_proven(connection, live, *start, work.now_us)
        anchor_plans.put_succession(connection, None)
        anchor_halt.forget(connection)
    return Progress("succeeded", f"anchoring goes on in {checksum_address(made.contract)}", size=size)


def _own_proof(
    network: Network, chain: Chain, size: int, root: bytes, own: Block | None, settled: Block
) -> tuple[Anchor, dict[str, Any]]:
    """Return an anchor that a contract took in block `own`: at that block, which auditors list, if it can be."""
    if own is not None:
        with suppress(ChainError, anchor_chain.FinalProofRefused):
            return _proof(network, chain, size, root, book.FINAL, own)
    # The node has pruned that block's state; what the contract holds it holds at any later block.
    return _proof(network, chain, size, root, book.FINAL, settled)


def _proof(
    network: Network, chain: Chain, size: int, root: bytes, state: str, block: Block
) -> tuple[Anchor, dict[str, Any]]:
    anchor = Anchor(0, chain.id, size, root, state, block_number=block.number, block_hash=block.hash)
    kept = anchor_chain.capture(network, chain, anchor, None)
    return anchor, {"header": kept.header, "account_proof": kept.account_proof, "storage_proof": kept.storage_proof}


def _require_pauser(work: Work, chain: Chain) -> None:
    if not anchor_contract.has_role(work.network, chain.contract, anchor_contract.ROLE_PAUSER, work.wallet.address):
        mine = checksum_address(work.wallet.address)
        raise SuccessionRefused(f"{mine} has not the role PAUSER", place=checksum_address(chain.contract))


def _require_whole(found: Comparison, heir: Heir, place: str) -> None:
    if found.foreign and not heir.log_is_whole:
        sizes = " to ".join(str(one.size) for one in found.foreign)
        raise SuccessionRefused(
            f"the contract holds what our log does not (size {sizes}; the last common size is {found.size}). A stolen "
            "key looks so, and so does a database that was restored from too old a backup: if there is a newer one, "
            "restore it; if there is none, say so (--log-is-whole)",
            place=place,
        )

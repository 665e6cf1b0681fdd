"""Commands of the contract's administrator: look, pause, and leave a contract whose anchoring key was stolen.

docs/anchoring.md (a stolen key).
"""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from sudonglian.api import worker
from sudonglian.api.console import DONE, INDETERMINATE, Console
from sudonglian.api.errors import NothingHere
from sudonglian.api.parsing import record_hash_of
from sudonglian.api.wiring import House, open_house
from sudonglian.chain import anchor_contract
from sudonglian.chain.wallet import Wallet, checksum_address
from sudonglian.records import anchor_book, anchor_plans, anchor_status, anchor_succession, anchoring, derive, keys
from sudonglian.records.anchor_succession import Heir
from sudonglian.records.anchor_work import Progress, Work

WAIT_S: Final = 600
"""Four transactions, one after the other, each twelve blocks deep on a public network."""

POLL_S: Final = 1.0
"""Between two looks for a block: the fastest chains with several nodes make one a second."""

PASSING: Final = frozenset({"waiting", "busy", "fee-cap"})
"""What a step says when only time is wanting."""

Wait = Annotated[int, typer.Option(min=0, metavar="SECONDS", help="How long to wait until it is done.")]
AdminKey = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="The administrator's key; admin.key of the key folder, or anchor.key, if absent."
    ),
]

app = typer.Typer(
    help="The contract: who may do what, and what to do when the anchoring key is stolen.", rich_markup_mode=None
)


@app.command()
def show(context: typer.Context) -> int:
    """Tell what the contract holds and who may do what, and hold it against the log."""
    console: Console = context.obj
    with open_house(console, create=False) as house:
        chain = _chain(house)
        network, address = house.network, chain.contract
        with house.store.read() as connection:
            found = anchor_succession.compare(connection, network, chain)
            left = anchor_status.left(connection)
        size, root = anchor_contract.latest(network, address)
        successor = anchor_contract.successor(network, address)
        document: dict[str, Any] = {
            "contract": address.hex(),
            "chain_id": chain.chain_id,
            "genesis": chain.genesis.hex(),
            "code_hash": chain.code_hash.hex(),
            "size": size,
            "root": root.hex() if size else None,
            "common_size": found.size,
            "foreign": [{"size": one.size, "root": one.root.hex()} for one in found.foreign],
            "admin": anchor_contract.admin(network, address).hex(),
            "anchorer": house.wallet.address.hex(),
            "may_anchor": anchor_contract.has_role(
                network, address, anchor_contract.ROLE_ANCHORER, house.wallet.address
            ),
            "paused": anchor_contract.paused(network, address),
            "successor": None if successor is None else successor.hex(),
            "left": left,
        }
    console.emit(document, _shown(console, document))
    return DONE


def _shown(console: Console, document: dict[str, Any]) -> Iterator[str]:
    admin, anchorer = (checksum_address(bytes.fromhex(document[name])) for name in ("admin", "anchorer"))
    yield console.text("contract {contract} on chain {chain_id}", **document)
    yield console.text("it holds size {size}; the last common size is {common_size}", **document)
    for one in document["foreign"]:
        yield console.text("a foreign root of size {size}: {root}", **one)
    yield console.text("administrator {admin}", admin=admin)
    yield console.text("anchoring key {anchorer}", anchorer=anchorer)
    if not document["may_anchor"]:
        yield console.text("this key may not anchor there")
    if document["paused"]:
        yield console.text("anchoring is paused")
    if document["successor"]:
        yield console.text("frozen; it names the successor {successor}", **document)
    yield from left_lines(console, document["left"])


def left_lines(console: Console, left: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what a person reads of the contracts that were left."""
    for one in left:
        yield console.text("left: contract {contract}", **one)
        for held in one["foreign"]:
            yield console.text("  kept as evidence: a foreign root of size {size}: {root}", **held)


@app.command()
def pause(context: typer.Context, admin_key: AdminKey = None, wait: Wait = WAIT_S) -> int:
    """Stop anchoring at once; captures, seals and all reading go on."""
    return _switch(context.obj, admin_key, wait, paused=True)


@app.command()
def unpause(context: typer.Context, admin_key: AdminKey = None, wait: Wait = WAIT_S) -> int:
    """Let anchoring go on."""
    return _switch(context.obj, admin_key, wait, paused=False)


def _switch(console: Console, admin_key: Path | None, wait: int, *, paused: bool) -> int:
    with open_house(console, create=False) as house:
        admin = _admin(house, admin_key)
        last = _walk(console, wait, lambda: anchor_succession.switch(_work(house, admin), paused=paused))
        contract = _chain(house).contract.hex()
    console.emit({"contract": contract, "paused": paused, "done": last.did == "done"}, [_said(console, last)])
    return DONE if last.did == "done" else INDETERMINATE


@app.command()
def succeed(
    context: typer.Context,
    admin_key: AdminKey = None,
    log_is_whole: Annotated[
        bool,
        typer.Option(
            "--log-is-whole", help="What the contract holds beyond our log is not ours: there is no newer backup."
        ),
    ] = False,
    wait: Wait = WAIT_S,
) -> int:
    """Leave the contract: pause it, deploy a successor at the last common size for a new anchoring key, freeze it.

    Safe to stop or kill at any moment; the same command goes on.
    """
    console: Console = context.obj
    with open_house(console, create=False) as house:
        admin = _admin(house, admin_key)
        heir = _heir(house, log_is_whole=log_is_whole)
        last = _walk(console, wait, lambda: anchor_succession.succeed(_work(house, admin), heir))
        document = _now(house, last)
    console.emit(document, _went_on(console, document, last))
    return DONE if document["done"] else INDETERMINATE


@app.command()
def follow(
    context: typer.Context,
    deploy_tx: Annotated[
        str, typer.Option(metavar="HASH", help="The transaction that made the successor, if it started empty.")
    ] = "",
    wait: Wait = WAIT_S,
) -> int:
    """Go on in the successor that a frozen contract names, if it starts at a state of our log."""
    console: Console = context.obj
    made_by = record_hash_of(deploy_tx) if deploy_tx else None
    with open_house(console, create=False) as house:
        last = _walk(console, wait, lambda: anchor_succession.follow(_work(house, house.wallet), made_by))
        document = _now(house, last)
    console.emit(document, _went_on(console, document, last))
    return DONE if document["done"] else INDETERMINATE


@app.command()
def accept_reorg(context: typer.Context) -> int:
    """Send anchors again whose final block was replaced, after you have found out which chain is right."""
    console: Console = context.obj
    with open_house(console, create=False) as house:
        count = anchoring.accept_reorg(house.store, house.network, datetime.now(UTC))
    console.emit({"sent_again": count}, [console.text("anchors that are sent again: {count}", count=count)])
    return DONE


def register(root: typer.Typer) -> None:
    """Add these commands to the command line."""
    root.add_typer(app, name="contract")


def _chain(house: House) -> anchor_book.Chain:
    with house.store.read() as connection:
        chain = anchor_book.live_chain(connection)
    if chain is None:
        raise NothingHere("there is no contract yet; `sudonglian anchor` makes one")
    return chain


def _admin(house: House, path: Path | None) -> Wallet:
    if path is not None:
        wallet = Wallet.load(path)
    else:
        kept = house.settings.admin_file
        wallet = Wallet.load(kept) if kept.exists() else house.wallet
    house.fund_on_a_local_node(wallet.address)
    return wallet


def _heir(house: House, *, log_is_whole: bool) -> Heir:
    folder = house.settings.keys_dir
    with house.store.read() as connection:
        plan = anchor_plans.succession(connection)
    if plan is not None and plan.anchorer == house.wallet.address:
        anchorer = plan.anchorer  # it is in its place already
    else:
        anchorer = Wallet.load_or_create(house.settings.next_wallet_file).address
    return Heir(anchorer, log_is_whole, lambda: keys.hand_over(folder, anchorer))


def _work(house: House, wallet: Wallet) -> Work:
    return Work(house.store, house.network, wallet, house.anchoring(), derive.micros(datetime.now(UTC)), lambda _: None)


def _walk(console: Console, wait: int, take: Callable[[], Progress]) -> Progress:
    """Take steps until one is the last, or only time is wanting and it is up."""
    deadline = time.monotonic() + wait
    said = ""
    while True:
        progress = take()
        step = worker.told(progress)
        if (line := f"{step.step} {step.values}") != said:
            worker.report(console, step)
        said = line
        if progress.again:
            continue
        if progress.did not in PASSING or time.monotonic() >= deadline:
            return progress
        time.sleep(POLL_S)


def _now(house: House, last: Progress) -> dict[str, Any]:
    with house.store.read() as connection:
        left = anchor_status.left(connection)
    return {
        "done": last.did == "succeeded",
        "contract": _chain(house).contract.hex(),
        "start_size": last.size if last.did == "succeeded" else None,
        "anchorer": house.wallet.address.hex(),
        "left": left,
    }


def _went_on(console: Console, document: dict[str, Any], last: Progress) -> Iterator[str]:
    if not document["done"]:
        yield _said(console, last)
        return
    yield console.text("anchoring goes on in contract {contract} from size {start_size}", **document)
    yield from left_lines(console, document["left"])
    yield console.text("auditors need it in their trust files: `sudonglian trust add` prints what to compare")
    yield console.text("the registry of keys there is empty: register the parties' keys again")


def _said(console: Console, last: Progress) -> str:
    if last.did == "done":
        return console.text("anchoring is paused" if last.detail == "paused" else "anchoring is not paused")
    return console.text("not done yet ({detail}); the same command goes on", detail=last.detail or last.did)

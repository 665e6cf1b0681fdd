"""Commands about the log: seal and anchor it, see how it stands, read it as an auditor does.

interfaces.md (anchor, status); docs/anchoring.md (states of an anchor).
"""

import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from sudonglian.api import worker
from sudonglian.api.commands.contract import left_lines
from sudonglian.api.console import DONE, INDETERMINATE, REFUSED, Console
from sudonglian.api.errors import UsageRefused
from sudonglian.api.parsing import moment
from sudonglian.api.wiring import House, open_house
from sudonglian.api.working import working
from sudonglian.chain import canonical
from sudonglian.chain.errors import ChainError, SudonglianError
from sudonglian.records import anchor_status
from sudonglian.records import log as stored_log
from sudonglian.records.anchor_book import AnchoringError
from sudonglian.records.anchor_chain import Standing
from sudonglian.records.derive import micros
from sudonglian.records.errors import NotInLog

WAIT_S: Final = 120
"""Twelve blocks of a public network take longer; a consortium or local chain is done in seconds."""

LOOKS: Final = 3
"""A contradiction between chain and database that is still there at the third look is no coincidence."""

POLL_S: Final = 0.2
"""Between two looks at a chain that has nothing new yet."""

app = typer.Typer(help="The log, as anybody may read it: hashes only.", rich_markup_mode=None)


def anchor(
    context: typer.Context,
    wait: Annotated[
        int, typer.Option(min=0, metavar="SECONDS", help="How long to wait until the anchor is final.")
    ] = WAIT_S,
) -> int:
    """Seal what waits and anchor the log; exit 2 if the anchor is not final in time."""
    console: Console = context.obj
    deadline = time.monotonic() + wait
    with open_house(console) as house:
        # The chain is looked at before anything is sealed: a log that is behind its own anchors must not grow.
        _tell(console, worker.anchor(house))
        with working(console, "sealing what waits"):
            _tell(console, worker.seal(house, datetime.now(UTC)))
        with working(console, "waiting until the anchor is final"):
            while True:
                _tell(console, worker.anchor(house))
                document, problem = _status(house)
                if problem is not None:
                    raise problem
                if not document["lag"] or time.monotonic() >= deadline:
                    break
                time.sleep(POLL_S)
    console.emit(document, standing(console, document))
    return INDETERMINATE if document["lag"] else DONE


def _tell(console: Console, steps: Iterable[worker.Step]) -> None:
    for step in steps:
        worker.report(console, step)


def status(context: typer.Context) -> int:
    """Tell how the log stands: its size, what waits, what is anchored, what an anchor does not cover yet."""
    console: Console = context.obj
    with open_house(console) as house:
        document, problem = _status(house)
    told = None if problem is None else {"code": problem.slug, "place": problem.place, "message": problem.reason}
    document |= {"data_dir": str(console.settings.data_dir), "problem": told}
    console.emit(document, standing(console, document))
    if problem is None:
        return DONE
    console.warn(problem)
    return REFUSED


def _status(house: House) -> tuple[dict[str, Any], SudonglianError | None]:
    """Return the status, and what the chain says against it, if anything."""
    for attempt in range(LOOKS):
        try:
            with house.store.read() as connection:
                return anchor_status.status(connection, house.network, address=house.wallet.address), None
        except (ChainError, AnchoringError) as error:
            # A worker may have sealed and anchored between the look at the database and the look at the chain.
            if isinstance(error, ChainError) or attempt == LOOKS - 1:
                problem = error
                break
    with house.store.read() as connection:
        return anchor_status.status(connection, None), problem


def standing(console: Console, document: dict[str, Any]) -> Iterator[str]:
    """Yield what a person reads of a status."""
    log = document["log"]
    yield console.text("log: {size} entries, root {root}", size=log["size"], root=log["root"] or "—")
    yield console.text("waiting for a seal: {pending}", pending=document["pending"])
    yield console.text("not covered by a final anchor: {lag}", lag=document["lag"])
    yield console.text("handoffs that both sides have not signed: {count}", count=document["unconfirmed_handoffs"])
    yield console.text("last final size: {size}", size=document["last_final_size"])
    if (on_its_way := document["in_flight"]) is not None:
        yield console.text("on its way: size {size}, {state}", **on_its_way)
    elif document["deploying"]:
        yield console.text("on its way: the contract")
    else:
        yield console.text("on its way: nothing")
    yield from _chain_says(console, document)
    yield from _wrong(console, document)
    for one in document["anchors"]:
        where = {name: one[name] if one[name] is not None else "—" for name in ("size", "state", "block", "tx")}
        yield console.text("anchor of size {size}: {state}, block {block}, transaction {tx}", **where)


def _chain_says(console: Console, document: dict[str, Any]) -> Iterator[str]:
    chain = document["chain"]
    if document["balance"] is not None:
        yield console.text("the anchoring key has {balance} wei", balance=document["balance"])
    if chain is None:
        return
    yield console.text("contract {contract} on chain {chain_id}", **chain)
    if chain.get("paused"):
        yield console.text("anchoring is paused")
    if chain.get("may_anchor") is False:
        yield console.text("this key may not anchor there")
    if chain.get("standing") == Standing.LOST.value:
        yield console.text("the chain came back without the contract: the next anchor goes into a new one")
    if chain.get("standing") == Standing.LAGGING.value:
        yield console.text("the node is behind: it does not have the contract's block yet")


def _wrong(console: Console, document: dict[str, Any]) -> Iterator[str]:
    if document["halted"] is not None:
        yield console.text("HALTED: nothing is taken or sealed. {why}", why=document["halted"])
    if document["foreign"] is not None:
        yield console.text("FOREIGN ANCHOR: {why}", why=document["foreign"])
    if document["succession"]:
        yield console.text("anchoring rests until `sudonglian contract succeed` is done")
    yield from left_lines(console, document["left"])


@app.command()
def entries(
    context: typer.Context,
    start: Annotated[int, typer.Option("--from", min=0, help="The first entry.")] = 0,
    to: Annotated[
        int | None, typer.Option(min=0, help="The entry after the last one; the log's end if absent.")
    ] = None,
) -> int:
    """Give the log's entries, one a line."""
    console: Console = context.obj
    with open_house(console) as house, house.store.read() as connection, working(console, "reading the log"):
        found = [(index, data.decode()) for index, data in stored_log.entries(connection, start, to)]
    document = {"entries": [{"index": index, **_object(data)} for index, data in found]}
    console.emit(document, (f"{index} {data}" for index, data in found))
    return DONE


@app.command()
def checkpoint(
    context: typer.Context,
    size: Annotated[int | None, typer.Option(min=1, help="The size that was signed; the newest if absent.")] = None,
) -> int:
    """Give a signed checkpoint (docs/spec/checkpoint.md)."""
    console: Console = context.obj
    with open_house(console) as house, house.store.read() as connection:
        found = stored_log.latest(connection) if size is None else stored_log.checkpoint_at(connection, size)
        if found is None:
            raise NotInLog("nothing has been sealed yet")
        verifier_key = str(house.keys.log.verifier_key)
    document = {"size": found.size, "root": found.root.hex(), "note": found.note, "verifier_key": verifier_key}
    console.emit(document, [found.note.rstrip("\n")])
    return DONE


@app.command("range")
def range_(
    context: typer.Context,
    start: Annotated[int | None, typer.Option("--from", min=0, help="The first entry.")] = None,
    to: Annotated[int | None, typer.Option(min=1, help="The entry after the last one.")] = None,
    since: Annotated[str, typer.Option(metavar="TIME", help="Instead: what was sealed from this moment on,")] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="and before this one.")] = "",
    size: Annotated[int | None, typer.Option(min=1, help="Of which checkpoint; the newest if absent.")] = None,
) -> int:
    """Prove with one path that a range of entries, a day say, stands in the log (docs/spec/entry.md rule 7)."""
    console: Console = context.obj
    if (start is None) != (to is None) or bool(since) != bool(until) or (start is None) == (not since):
        raise UsageRefused("either --from and --to are needed, or --since and --until", place="--from")
    with open_house(console) as house, house.store.read() as connection:
        newest = stored_log.latest(connection)
        held = newest if size is None else stored_log.checkpoint_at(connection, size)
        if held is None:
            raise NotInLog("nothing has been sealed yet")
        if start is None or to is None:
            moments = micros(moment(since, "--since")), micros(moment(until, "--until"))
            start, to = stored_log.sealed_between(connection, *moments)
        if not start < to <= held.size:
            raise NotInLog(f"the tree of size {held.size} has no entries from {start} to before {to}", place="--from")
        path = stored_log.range_proof(connection, start, to, held.size)
        found = [data.decode() for _, data in stored_log.entries(connection, start, to)]
    hashes = [one.hex() for one in path]
    document = {"from": start, "to": to, "size": held.size, "root": held.root.hex(), "note": held.note}
    document |= {"path": hashes, "entries": found}
    shown = console.text("entries {start} to {last} of {size}: {count} hashes prove them", start=start, last=to - 1,
                         size=held.size, count=len(path))  # fmt: skip
    console.emit(document, [shown, *hashes])
    return DONE


def register(root: typer.Typer) -> None:
    """Add these commands to the command line."""
    root.command()(anchor)
    root.command()(status)
    root.add_typer(app, name="log")


def _object(data: str) -> dict[str, Any]:
    value = canonical.parse_stored(data.encode())
    return value if isinstance(value, dict) else {}

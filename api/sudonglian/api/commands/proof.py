"""Commands of the auditor: a proof in one file, a trust file of one's own, and the verdict.

interfaces.md (bundle, sudonglian-verify); docs/spec/bundle.md, docs/spec/trust.md.
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from sudonglian.api.console import DONE, Console, check_writable, read_file, write_file
from sudonglian.api.errors import UsageRefused
from sudonglian.api.parsing import address_of, doubt, identifier_of, record_hash_of
from sudonglian.api.wiring import open_house, open_remote
from sudonglian.api.working import working
from sudonglian.chain import qbft
from sudonglian.chain import trust as trusts
from sudonglian.chain import verify as verifier
from sudonglian.chain.canonical import Json
from sudonglian.chain.network import Network
from sudonglian.chain.trust_from_node import Start, merge, start_of, trust_from
from sudonglian.records import anchor_book, bundles

Output = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")]

app = typer.Typer(help="The auditor's own trust file.", rich_markup_mode=None)


def bundle(
    context: typer.Context,
    output: Output,
    record_hash: Annotated[
        str, typer.Argument(metavar="[HASH]", help="The record's hash; may be absent with --lot.", show_default=False)
    ] = "",
    disclose: Annotated[
        str, typer.Option(metavar="NAMES", help="Withheld members to disclose, separated by commas.")
    ] = "",
    lot: Annotated[
        str, typer.Option(metavar="LOT", help="Also prove that all records of this item or lot are in it.")
    ] = "",
    through: Annotated[
        bool, typer.Option("--through", help="With --lot: also the units that it travelled in.")
    ] = False,
) -> int:
    """Write everything that shows a record to be in the log and the log to be anchored, for use without a network."""
    console: Console = context.obj
    if not record_hash and not lot:
        raise UsageRefused("a HASH or --lot is needed", place="HASH")
    if through and not lot:
        raise UsageRefused("needs --lot", place="--through")
    wanted = tuple(name.strip() for name in disclose.split(",") if name.strip())
    digest = record_hash_of(record_hash) if record_hash else None
    about = identifier_of(lot, "--lot") if lot else None
    check_writable(output)
    with (
        open_house(console) as house,
        house.store.read() as connection,
        working(console, "gathering records and their proofs") as work,
    ):
        data, state = bundles.make_bundle(
            connection,
            house.keys,
            digest,
            disclose=wanted,
            lot=about,
            through=through,
            progress=work.at,
        )
    write_file(output, data)
    shown = [(one["id"], bool(one["chain"])) for one in json.loads(data)["lots"]]
    absent = [name for name, is_named in shown if not is_named]
    document = {
        "bundle": str(output),
        "record_hash": digest.hex() if digest else None,
        "state": state,
        "lots": [name for name, _ in shown],
        "absent": absent,
    }
    for name in absent:
        console.say("no record names {lot}: the bundle proves its absence, which a mistyped name has too", lot=name)
        if said := doubt(name, console.lang):
            console.say("{error}", error=said)
    lines = [console.text("{file}: {size} bytes, {state}", file=output, size=len(data), state=state)]
    if state != "final":
        lines.append(console.text("no final anchor covers it yet: it verifies as INDETERMINATE"))
    console.emit(document, lines)
    return DONE


@app.command()
def add(
    context: typer.Context,
    output: Output,
    rpc: Annotated[
        str, typer.Option(metavar="URL", help="Ask this node; without it the deployment's own chain is asked.")
    ] = "",
    contract: Annotated[
        str, typer.Option(metavar="ADDRESS", help="The contract; the deployment's own if absent.")
    ] = "",
    key: Annotated[
        str, typer.Option(metavar="KEY", help="The log's verifier key; the deployment's own if absent.")
    ] = "",
) -> int:
    """Write a trust file from what a node says, or add to one, and print what to compare by hand."""
    console: Console = context.obj
    if bool(contract) != bool(key) or (rpc and not contract):
        raise UsageRefused("--contract and --key belong together, and --rpc needs both", place="--contract")
    check_writable(output)
    held = read_file(str(output)) if output.exists() else None
    with working(console, "asking the chain"):
        found, start = _found(console, rpc, contract, key, held)
    if held is not None:
        found = merge(held, found)
    write_file(output, (json.dumps(found, ensure_ascii=False, indent=1) + "\n").encode())
    told = trusts.parse(json.dumps(found).encode())
    lines = [console.text("written: {file}; compare these by another channel", file=output)]
    lines += [f"  log {one.key}" for one in told.logs]
    for chain_ in told.chains:
        lines.append(f"  chain {chain_.chain_id}, genesis {chain_.genesis.hex()}")
        lines.append(f"  contract {chain_.contract.hex()}, code {chain_.code_hash.hex()}")
        if isinstance(chain_.finality, trusts.Qbft):
            names = sorted(one.hex() for one in chain_.finality.validators)
            lines.append(f"  QBFT, {qbft.quorum(len(names))} of these {len(names)} validators seal a block:")
            lines += [f"    {one}" for one in names]
    begins = None
    if start is not None:
        begins = {"size": start.size, "root": start.root.hex(), "former": [one.hex() for one in start.former]}
        lines.append(console.text("  the contract succeeds another: it starts at size {size}, root {root}", **begins))
        for former in (one.hex() for one in start.former):
            lines.append(
                console.text("  {former} of this file is frozen, names it, and holds this root too", former=former)
            )
        if not start.former:
            lines.append(
                console.text("  no contract of this file names it: compare size and root with its Frozen event")
            )
    console.emit({"trust": str(output), **found, "start": begins}, lines)
    return DONE


def _found(
    console: Console, rpc: str, contract: str, key: str, held: bytes | None
) -> tuple[dict[str, Json], Start | None]:
    """Return what a node says, or the deployment's own chain, and where a successor begins."""
    if rpc:
        network = open_remote(rpc, "--rpc")
        try:
            return _asked(network, address_of(contract), key, held)
        finally:
            network.close()
    with open_house(console) as house:
        if contract:
            return _asked(house.network, address_of(contract), key, held)
        with house.store.read() as connection:
            chain = anchor_book.live_chain(connection)
        if chain is None:
            raise anchor_book.AnchoringError("nothing has been anchored yet")
        return _asked(house.network, chain.contract, str(house.keys.log.verifier_key), held, chain.deploy_block)


def _asked(
    network: Network, contract: bytes, key: str, held: bytes | None, deploy_block: int = 0
) -> tuple[dict[str, Json], Start | None]:
    return trust_from(network, contract, key, deploy_block), start_of(network, contract, held, deploy_block)


def verify(
    context: typer.Context,
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="A bundle, or a folder of bundles.")],
    trust: Annotated[str, typer.Option(metavar="FILE", help="What you trust; never taken from a bundle.")],
) -> int:
    """Verify bundles offline, as sudonglian-verify does: exit 0 valid, 1 invalid, 2 indeterminate."""
    console: Console = context.obj
    asked = ["--trust", trust, "--lang", console.lang, *(["--json"] if console.json else []), "--", *files]
    return verifier.main(asked)


def register(root: typer.Typer) -> None:
    """Add these commands to the command line."""
    root.command()(bundle)
    root.command()(verify)
    root.add_typer(app, name="trust")

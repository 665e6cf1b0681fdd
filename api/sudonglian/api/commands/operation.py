"""Commands of the operator: the worker, the check of everything, backup and restore.

service.md (storage and work); docs/anchoring.md (what an operator sees and does).
"""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from sudonglian.api import worker as loop
from sudonglian.api.console import DONE, REFUSED, Console
from sudonglian.api.wiring import open_house
from sudonglian.chain.errors import ChainError
from sudonglian.chain.network import Network
from sudonglian.records import fsck as checks


def worker(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, then end.")] = False,
) -> int:
    """Seal by number and age, anchor, confirm, until SIGTERM or ^C; safe to kill at any moment."""
    console: Console = context.obj
    with open_house(console) as house:
        return loop.run(console, house, once=once)


def fsck(
    context: typer.Context,
    offline: Annotated[bool, typer.Option("--offline", help="Leave the chain out.")] = False,
) -> int:
    """Recompute every digest, node, root, lot chain and anchor, and say what is wrong and where."""
    console: Console = context.obj
    network: Network | None = None
    faults: list[dict[str, str]] = []
    with open_house(console, create=False) as house:
        try:
            network = None if offline else house.network
        except ChainError as error:
            # A chain that cannot be opened is a fault, and no reason not to look at the rest.
            faults.append({"code": error.slug, "place": error.place, "detail": error.reason})
        document: dict[str, Any] = checks.fsck(house.store, house.keys, network)
    document["faults"] = [*faults, *document["faults"]]
    document["ok"] = not document["faults"]
    console.emit(document, _checked(console, document))
    return DONE if document["ok"] else REFUSED


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(worker)
    app.command()(fsck)


def _checked(console: Console, document: dict[str, Any]) -> Iterator[str]:
    yield console.text("everything agrees" if document["ok"] else "something is wrong")
    for name, count in document["checked"].items():
        yield f"  {name}: {count}"
    for fault in document["faults"]:
        yield f"{fault['code']} {fault['place']} — {fault['detail']}"

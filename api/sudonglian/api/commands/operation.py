"""Commands of the operator: the worker, the check of everything, backup and restore.

service.md (storage and work); docs/anchoring.md (what an operator sees and does).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from sudonglian.api import worker as loop
from sudonglian.api.console import DONE, REFUSED, Console
from sudonglian.api.errors import DoorError
from sudonglian.api.wiring import STARTING_PATIENCE_S, House, open_house, open_remote
from sudonglian.api.working import working
from sudonglian.chain.errors import ChainError, SudonglianError
from sudonglian.chain.network import Network
from sudonglian.chain.wallet import FILE_MODE, Wallet
from sudonglian.records import backup as backups
from sudonglian.records import fsck as checks
from sudonglian.records.backup_files import KEYS
from sudonglian.records.fsck_report import Report


def worker(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, then end.")] = False,
) -> int:
    """Seal by number and age, anchor, confirm, until SIGTERM or ^C; safe to kill at any moment."""
    console: Console = context.obj
    with open_house(console, patience_s=STARTING_PATIENCE_S) as house:
        return loop.run(console, house, once=once)


def fsck(
    context: typer.Context,
    offline: Annotated[bool, typer.Option("--offline", help="Leave the chain out.")] = False,
) -> int:
    """Recompute every digest, node, root, lot chain and anchor, and say what is wrong and where."""
    console: Console = context.obj
    document: dict[str, Any] = {"ok": False, "checked": {}, "faults": []}
    faults: list[dict[str, str]] = []
    try:
        with open_house(console, create=False) as house:
            network: Network | None = None
            try:
                network = None if offline else house.network
            except ChainError as error:
                # A chain that cannot be opened is a fault, and no reason not to look at the rest.
                faults.append(_fault(error))
            document = _check(console, house, network)
    except DoorError:
        raise
    except SudonglianError as error:
        # Keys or a database that cannot be opened are what is wrong here, and end the check.
        faults.append(_fault(error))
    document["faults"] = [*faults, *document["faults"]]
    document["ok"] = not document["faults"]
    console.emit(document, _checked(console, document))
    return DONE if document["ok"] else REFUSED


def _fault(error: SudonglianError) -> dict[str, str]:
    return {"code": error.slug, "place": error.place, "detail": error.reason}


def backup(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Also the keys: whoever holds it can read people who are erased later.")
    ] = False,
) -> int:
    """Write a consistent backup while others go on working: chain, database, sums of every file."""
    console: Console = context.obj
    with open_house(console, create=False) as house:
        keys_dir = console.settings.keys_dir
        with working(console, "copying chain and database"):
            kept = backups.backup(
                house.store, house.keys, house.network, folder, keys_folder=keys_dir if with_keys else None
            )
        if with_keys:
            # Without the key that the contract knows, a restored log could not be anchored any more.
            house.wallet.save(folder / KEYS / console.settings.wallet_file.name)
    lines = [console.text("backup of {size} entries in {folder}", size=kept["log"]["size"], folder=folder)]
    if not with_keys:
        lines.append(console.text("the keys are not in it: keep {folder} somewhere else", folder=keys_dir))
    console.emit({"backup": str(folder), **kept}, lines)
    return DONE


def restore(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The backup.")],
    force: Annotated[
        bool, typer.Option("--force", help="Replace an older state of the same log; never a longer or another one.")
    ] = False,
    without_people: Annotated[
        bool,
        typer.Option("--without-people", help="Erase everybody in it whose key-encryption key was destroyed."),
    ] = False,
) -> int:
    """Put a backup in place, and check everything; refused by name if it is damaged, incomplete or too old."""
    console: Console = context.obj
    settings = console.settings
    has_own_chain = settings.rpc_url is None
    network = None if settings.rpc_url is None else open_remote(settings.rpc_url, "SUDONGLIAN_RPC_URL")
    try:
        chain_file = settings.chain_file if has_own_chain else None
        with working(console, "putting the backup in place"):
            put = backups.restore(
                folder,
                settings.database_url,
                settings.keys_dir,
                chain_file,
                network,
                force=force,
                keks=settings.keks,
                without_people=without_people,
            )
    finally:
        if network is not None:
            network.close()
    kept = folder / KEYS / settings.wallet_file.name
    if kept.exists() and not settings.wallet_file.exists():
        kept.chmod(FILE_MODE)
        Wallet.load(kept).save(settings.wallet_file)
    with open_house(console, create=False) as house:
        checked = _check(console, house, house.network)
    lines = [console.text("restored {size} entries from {folder}", size=put["log"]["size"], folder=folder)]
    console.emit({"restored": str(folder), **put, "fsck": checked}, [*lines, *_checked(console, checked)])
    return DONE if checked["ok"] else REFUSED


def register(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(worker)
    app.command()(fsck)
    app.command()(backup)
    app.command()(restore)


def _check(console: Console, house: House, network: Network | None) -> dict[str, Any]:
    """Check everything, and tell what is being looked at."""
    report, seen, last = Report(), dict[str, int](), ""

    def far() -> str:
        nonlocal last
        now = dict(report.checked)  # a copy: the check goes on counting
        grown = [name for name, count in now.items() if count != seen.get(name)]
        last = max(grown, key=lambda name: now[name], default=last)
        seen.update(now)
        return f"{last} {now[last]}" if last else ""

    with working(console, "checking everything") as work:
        work.far = far
        return checks.fsck(house.store, house.keys, network, report)


def _checked(console: Console, document: dict[str, Any]) -> Iterator[str]:
    yield console.text("everything agrees" if document["ok"] else "something is wrong")
    for name, count in document["checked"].items():
        yield f"  {name}: {count}"
    for notice in document.get("notices", ()):
        yield f"{notice['code']} {notice['place']} — {notice['detail']}"
    for fault in document["faults"]:
        yield f"{fault['code']} {fault['place']} — {fault['detail']}"

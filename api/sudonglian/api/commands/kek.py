"""Commands of the operator: the keys that wrap every person's key, and how they are changed while the service runs.

docs/privacy.md (rotation); docs/decisions/0505.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from sudonglian.api.commands import api_keys
from sudonglian.api.console import DONE, Console
from sudonglian.api.errors import UsageRefused
from sudonglian.api.wiring import House, open_house
from sudonglian.api.working import working
from sudonglian.records import derive, kek_rotation
from sudonglian.records.kek_rotation import Kek

app = typer.Typer(help="Key-encryption keys: they wrap the key of every person.", rich_markup_mode=None)


@app.command("list")
def list_(context: typer.Context) -> int:
    """List every key-encryption key that was ever used, whose keys it wraps, and whether it should be changed."""
    console: Console = context.obj
    with open_house(console, create=False) as house:
        _tell(console, house)
    return DONE


@app.command()
def rotate(
    context: typer.Context,
    destroy_old: Annotated[
        bool,
        typer.Option("--destroy-old", help="Then destroy every older key: backups from before lose all people's data."),
    ] = False,
) -> int:
    """Wrap every person's key with a new key while others go on working; killed, the next call goes on."""
    console: Console = context.obj
    with open_house(console, create=False) as house:
        with house.store.write() as connection:
            kek_rotation.begin(connection, house.keys, datetime.now(UTC))
        with working(console, "wrapping the keys of all people anew") as work:
            kek_rotation.rewrap(house.store, house.keys, work.at)
        for one in _idle(house) if destroy_old else ():
            _destroy(house, one.id)
        house.store.forget_deleted()
        _tell(console, house)
    return DONE


@app.command()
def destroy(
    context: typer.Context,
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `list` shows it.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> int:
    """Destroy a key that wraps nobody any more: older copies of people's keys can never be opened again."""
    console: Console = context.obj
    with open_house(console, create=False) as house:
        question = console.text("Destroy {key}? Backups from before its rotation lose all people's data.", key=key_id)
        if not yes and not typer.confirm(question, err=True):
            raise UsageRefused("nothing was destroyed", place=key_id)
        _destroy(house, key_id)
        _tell(console, house)
    return DONE


def register(root: typer.Typer) -> None:
    """Add these commands to the command line."""
    api_keys.keys.add_typer(app, name="kek")


def _idle(house: House) -> list[Kek]:
    with house.store.read() as connection:
        found = kek_rotation.listed(connection, house.keys)
    return [one for one in found if not one.writes and not one.persons and one.destroyed_us is None]


def _destroy(house: House, key_id: str) -> None:
    with house.store.write() as connection:
        kek_rotation.destroy(connection, house.keys, key_id, datetime.now(UTC))


def _tell(console: Console, house: House) -> None:
    with house.store.read() as connection:
        found = kek_rotation.listed(connection, house.keys)
    shown = [_shown(one) for one in found]
    lines = [
        f"{one['id']}  {one['state']}  {console.text('{count} persons', count=one['persons'])}  {one['since']}"
        for one in shown
    ]
    at_risk = kek_rotation.copies_open(found)
    if at_risk:
        lines.append(
            console.text(
                "{count} erased persons can still be read from older backups or freed pages with a key that is here: "
                "rotate, and destroy the old key",
                count=at_risk,
            )
        )
    console.emit({"keks": shown, "erased_but_in_copies": at_risk, "place": house.keys.keks.place}, lines)


def _shown(one: Kek) -> dict[str, Any]:
    def time(at_us: int | None) -> str | None:
        return None if at_us is None else derive.moment(at_us).isoformat(timespec="seconds")

    state = "writes" if one.writes else "retired" if one.destroyed_us is None else "destroyed"
    return {
        "id": one.id,
        "state": state,
        "here": one.is_here,
        "persons": one.persons,
        "erased_since": one.erased_since,
        "since": time(one.since_us),
        "retired": time(one.retired_us),
        "destroyed": time(one.destroyed_us),
    }

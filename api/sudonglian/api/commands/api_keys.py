"""Commands of the operator: keys that machines show at the HTTP door.

service.md (API keys: prefix shown, hash stored, scoped, expiring, revocable).
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final

import typer

from sudonglian.api import granting
from sudonglian.api.console import DONE, Console
from sudonglian.api.errors import UsageRefused
from sudonglian.api.parsing import span
from sudonglian.api.principals import login
from sudonglian.api.scopes import MEANING, Scope
from sudonglian.api.settings import submitter as submitter_of
from sudonglian.api.validating import profile_named
from sudonglian.api.wiring import open_house
from sudonglian.records import api_keys


class Grant(StrEnum):
    """What can be granted; a test compares it with the table of scopes."""

    capture = "capture"
    read_own = "read-own"
    trace = "trace"
    case = "case"
    reveal_approve = "reveal-approve"
    follow_up = "follow-up"
    audit = "audit"
    access_log = "access-log"
    accounts = "accounts"
    operate = "operate"


NONE: Final = "none"
"""No profile."""


keys = typer.Typer(help="Keys of those who come in.", rich_markup_mode=None)
app = typer.Typer(help="API keys of machines.", rich_markup_mode=None)


@app.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Option(metavar="TEXT", help="Whose key it is, for people.")],
    scope: Annotated[list[Grant], typer.Option(help="What it may do; may be given several times.")],
    submitter: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URI",
            help="The firm that it speaks for; needed for capture and read-own. Given several times: a key for each.",
        ),
    ] = None,
    account: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="The person whose key it is: it does what both may, and what comes with it is the person's.",
        ),
    ] = "",
    expires: Annotated[str, typer.Option(metavar="SPAN", help="When it ends: 90d, 12h; never if absent.")] = "",
    profile: Annotated[
        str,
        typer.Option(metavar="NAME", help="What its captures are judged by as well; `sudonglian profiles` lists them."),
    ] = "",
) -> int:
    """Make a key and show its token, once: only a hash of it is kept."""
    console: Console = context.obj
    scopes = sorted({one.value for one in scope})
    if profile and Scope.capture not in scopes:
        raise UsageRefused("it is asked of what is captured, and this key captures nothing", place="--profile")
    wanted = profile_named(profile, "--profile").name if profile else None
    firms = [submitter_of(one, "--submitter") for one in dict.fromkeys(submitter or ())]
    granting.check(scopes, account=account, firms=firms)
    now = datetime.now(UTC)
    ends = now + span(expires, "--expires") if expires else None
    with open_house(console) as house, house.store.write() as connection:
        made = granting.make(
            connection, name, scopes, now, by=login(), account=account, firms=firms, expires=ends, profile=wanted
        )
    shown = [{**granting.shown(key, datetime.now(UTC)), "token": token} for key, token in made]
    lines = [f"{one['token']}  {one['submitter']}" if len(firms) > 1 else one["token"] for one in shown]
    lines += [f"  {one}: {meaning}" for one, meaning in MEANING.items() if one.value in scopes]
    console.emit({"keys": shown} if len(firms) > 1 else shown[0], lines)
    return DONE


@app.command("list")
def list_(context: typer.Context) -> int:
    """List every key ever made, by its prefix."""
    console: Console = context.obj
    with open_house(console) as house, house.store.read() as connection:
        found = [granting.shown(key, datetime.now(UTC)) for key in api_keys.listed(connection)]
    lines = [
        f"{one['prefix']}  {one['name']}  {','.join(one['scopes'])}  {one['submitter'] or '—'}  {one['state']}"
        f"  {one['profile'] or '—'}"
        for one in found
    ]
    console.emit({"keys": found}, lines)
    return DONE


@app.command()
def profile(
    context: typer.Context,
    prefix: Annotated[str, typer.Argument(metavar="PREFIX", help="The key's prefix, as `list` shows it.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"A profile, or {NONE}.")],
) -> int:
    """Judge what is captured with a key by another profile from now on, or by none."""
    console: Console = context.obj
    wanted = None if name == NONE else profile_named(name, "NAME").name
    with open_house(console) as house, house.store.write() as connection:
        key = api_keys.set_profile(connection, prefix, wanted)
    console.emit(
        granting.shown(key, datetime.now(UTC)),
        [console.text("{prefix}: judged by {profile}", prefix=key.prefix, profile=name)],
    )
    return DONE


@app.command()
def revoke(
    context: typer.Context,
    prefix: Annotated[str, typer.Argument(metavar="PREFIX", help="The key's prefix, as `list` shows it.")],
) -> int:
    """End a key at once and for good."""
    console: Console = context.obj
    with open_house(console) as house, house.store.write() as connection:
        key = api_keys.revoke(connection, prefix, datetime.now(UTC), by=login())
    console.emit(granting.shown(key, datetime.now(UTC)), [console.text("revoked: {prefix}", prefix=key.prefix)])
    return DONE


def register(root: typer.Typer) -> None:
    """Add these commands to the command line."""
    keys.add_typer(app, name="api")
    root.add_typer(keys, name="keys")

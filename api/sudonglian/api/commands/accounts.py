"""Commands of the operator: accounts of people.

service.md (who comes in); docs/decisions/0770. A one-time link is shown once; nobody but its holder knows the password.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Final

import typer
from sqlalchemy import Connection

from sudonglian.api.account_words import shown
from sudonglian.api.console import DONE, Console
from sudonglian.api.principals import login
from sudonglian.api.scopes import ROLE_MEANING, Role, check_roles
from sudonglian.api.settings import submitter as submitter_of
from sudonglian.api.wiring import open_house
from sudonglian.records import accounts
from sudonglian.records.accounts import Account

app = typer.Typer(help="Accounts of people.", rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What is typed to sign in.")]
Firm = Annotated[str, typer.Option(metavar="URI", help="The firm that it acts for; needed for firm and partner.")]

WELCOME: Final = "/welcome?code="


class Given(StrEnum):
    """Roles as they are typed; a test compares them with the table of roles."""

    firm = "firm"
    partner = "partner"
    epidemiologist = "epidemiologist"
    approver = "approver"
    follow_up = "follow-up"
    auditor = "auditor"
    operator = "operator"


@app.command()
def add(
    context: typer.Context,
    name: Name,
    role: Annotated[list[Given], typer.Option(help="What the person is; may be given several times.")],
    display: Annotated[str, typer.Option(metavar="TEXT", help="The name to show.")] = "",
    submitter: Firm = "",
) -> int:
    """Make an account and show its one-time link, once: with it its person chooses a password."""
    console: Console = context.obj
    firm = submitter_of(submitter, "--submitter") if submitter else None
    roles = check_roles(role, firm)
    now = datetime.now(UTC)
    with open_house(console) as house, house.store.write() as connection:
        made, code = accounts.invite(connection, name, roles, now, display_name=display, submitter=firm, by=login())
    return _invited(console, made, code, roles)


@app.command("list")
def list_(context: typer.Context) -> int:
    """List every account and how it stands."""
    console: Console = context.obj
    now = datetime.now(UTC)
    with open_house(console) as house, house.store.read() as connection:
        found = [shown(one, now) for one in accounts.listed(connection)]
    lines = [
        f"{one['name']}  {one['display_name']}  {','.join(one['roles'])}  {one['submitter'] or '—'}  {one['state']}"
        for one in found
    ]
    console.emit({"accounts": found}, lines)
    return DONE


@app.command()
def roles(
    context: typer.Context,
    name: Name,
    role: Annotated[list[Given], typer.Option(help="All that the person is from now on.")],
    submitter: Firm = "",
) -> int:
    """Give an account other roles, at once."""
    firm = submitter_of(submitter, "--submitter") if submitter else None
    wanted = check_roles(role, firm)
    return _changed(
        context,
        lambda connection, now: accounts.set_roles(connection, name, wanted, firm, now, by=login()),
        "roles given",
    )


@app.command()
def disable(context: typer.Context, name: Name) -> int:
    """End an account and its sessions at once; what it did stays."""
    return _changed(context, lambda connection, now: accounts.disable(connection, name, now, by=login()), "disabled")


@app.command()
def enable(context: typer.Context, name: Name) -> int:
    """Bring a disabled account back."""
    return _changed(context, lambda connection, now: accounts.enable(connection, name, now, by=login()), "enabled")


@app.command()
def unlock(context: typer.Context, name: Name) -> int:
    """Let an account be tried again at once, that waits after too many attempts."""
    return _changed(context, lambda connection, now: accounts.unlock(connection, name, now), "unlocked")


@app.command()
def reset(context: typer.Context, name: Name) -> int:
    """Take away a password and second factor that are lost or known to others, and show a new one-time link."""
    console: Console = context.obj
    with open_house(console) as house, house.store.write() as connection:
        found, code = accounts.reset(connection, name, datetime.now(UTC), by=login())
    return _invited(console, found, code, [Role(one) for one in sorted(found.roles)])


def register(root: typer.Typer) -> None:
    """Add these commands to the command line."""
    root.add_typer(app, name="accounts")


def _changed(context: typer.Context, change: Callable[[Connection, datetime], Account], done: str) -> int:
    console: Console = context.obj
    now = datetime.now(UTC)
    with open_house(console) as house, house.store.write() as connection:
        found = change(connection, now)
    said = {
        "roles given": console.text("roles given"),
        "disabled": console.text("disabled"),
        "enabled": console.text("enabled"),
        "unlocked": console.text("unlocked"),
    }[done]
    console.emit(shown(found, now), [f"{found.name}: {said}"])
    return DONE


def _invited(console: Console, account: Account, code: str, roles: Sequence[Role]) -> int:
    document: dict[str, Any] = {**shown(account, datetime.now(UTC)), "code": code, "path": f"{WELCOME}{code}"}
    lines = [
        f"{WELCOME}{code}",
        console.text(
            "give {name} this path behind the server's address, by another way than mail; it works once, for 7 days",
            name=account.display_name,
        ),
        *(f"  {role}: {ROLE_MEANING[role]}" for role in roles),
    ]
    console.emit(document, lines)
    return DONE

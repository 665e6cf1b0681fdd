"""Accounts over HTTP, for an operator: made, changed, ended. Nobody's password passes here.

service.md (operator); docs/decisions/0770. A one-time code is answered once.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from sudonglian.api.account_words import shown
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Registrar
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import JsonBody, described, door_router, parsed
from sudonglian.api.scopes import Role, check_roles
from sudonglian.api.settings import submitter as submitter_of
from sudonglian.records import accounts
from sudonglian.records.accounts import Account

router = door_router("/accounts", "Accounts")

Name = Annotated[str, Path(max_length=64, description="What is typed to sign in.")]
Word = Annotated[str, Field(max_length=40)]


class Roles(BaseModel):
    """What somebody is."""

    model_config = ConfigDict(extra="forbid", strict=True)

    roles: list[Word] = Field(min_length=1, max_length=len(Role), description=", ".join(Role))
    submitter: str = Field("", max_length=2_000, description="The firm; needed for firm and partner.")

    def checked(self) -> tuple[tuple[Role, ...], str | None]:
        """Return roles that go together, and the firm."""
        firm = submitter_of(self.submitter, "/submitter") if self.submitter else None
        return check_roles(self.roles, firm), firm


class Asked(Roles):
    """An account to make."""

    name: str = Field(max_length=64, description="What is typed to sign in.")
    display_name: str = Field("", max_length=200)


@router.get("")
def listed(request: Request, caller: Registrar) -> Response:
    """List every account and how it stands."""
    now = datetime.now(UTC)
    with door_of(request).store.read() as connection:
        found = [shown(one, now) for one in accounts.listed(connection)]
    return json_answer({"accounts": found})


@router.post("", status_code=201, openapi_extra=described(Asked))
def make(request: Request, caller: Registrar, body: JsonBody) -> Response:
    """Make an account; `path` is the one-time link behind this server's address, and is told once."""
    asked, now = parsed(Asked, body), datetime.now(UTC)
    roles, firm = asked.checked()
    with door_of(request).store.write() as connection:
        made, code = accounts.invite(
            connection, asked.name, roles, now, display_name=asked.display_name, submitter=firm, by=caller.principal
        )
    return json_answer(_invited(made, code, now), 201)


@router.post("/{name}/roles", openapi_extra=described(Roles))
def change_roles(request: Request, caller: Registrar, name: Name, body: JsonBody) -> Response:
    """Give an account other roles, at once."""
    roles, firm = parsed(Roles, body).checked()
    return _changed(
        request, lambda connection, now: accounts.set_roles(connection, name, roles, firm, now, by=caller.principal)
    )


@router.post("/{name}/disable")
def disable(request: Request, caller: Registrar, name: Name) -> Response:
    """End an account and its sessions at once; what it did stays."""
    return _changed(request, lambda connection, now: accounts.disable(connection, name, now, by=caller.principal))


@router.post("/{name}/enable")
def enable(request: Request, caller: Registrar, name: Name) -> Response:
    """Bring a disabled account back."""
    return _changed(request, lambda connection, now: accounts.enable(connection, name, now, by=caller.principal))


@router.post("/{name}/unlock")
def unlock(request: Request, caller: Registrar, name: Name) -> Response:
    """Let an account be tried again at once, that waits after too many attempts."""
    return _changed(request, lambda connection, now: accounts.unlock(connection, name, now))


@router.post("/{name}/reset")
def reset(request: Request, caller: Registrar, name: Name) -> Response:
    """Take away a password and second factor; `path` is the new one-time link, and is told once."""
    now = datetime.now(UTC)
    with door_of(request).store.write() as connection:
        found, code = accounts.reset(connection, name, now, by=caller.principal)
    return json_answer(_invited(found, code, now))


def _changed(request: Request, change: Callable[[Connection, datetime], Account]) -> Response:
    now = datetime.now(UTC)
    with door_of(request).store.write() as connection:
        found = change(connection, now)
    return json_answer(shown(found, now))


def _invited(account: Account, code: str, now: datetime) -> dict[str, Any]:
    return {**shown(account, now), "code": code, "path": f"/welcome?code={code}"}

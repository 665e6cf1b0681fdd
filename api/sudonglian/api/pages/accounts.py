"""Signing in and out, the first account, one's own password, second factor and sessions.

service.md (Who comes in); docs/decisions/0770. The operator's commands and the API make further accounts.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import segno
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from sudonglian.api.caller import Caller, of_account
from sudonglian.api.errors import UsageRefused
from sudonglian.api.http import auth
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import declared_only
from sudonglian.api.pages import rendering, session
from sudonglian.api.pages.forms import Form, SmallForm
from sudonglian.api.pages.language import named_language
from sudonglian.api.pages.problems import PageRoute
from sudonglian.api.pages.rendering import SEE_OTHER, link, page
from sudonglian.api.pages.session import Anyone, Person
from sudonglian.api.scopes import Role, Scope
from sudonglian.api.signing_in import authenticate
from sudonglian.records import accounts, passwords, second_factor, sessions, totp
from sudonglian.records.accounts import Account

TRIAL: Final = timedelta(hours=12)
"""As long as a session: whoever tries things out tomorrow starts the server again."""

TRIAL_FIRM: Final = "urn:sudonglian:submitter:local"
"""For whom somebody sends who only tries things out."""

router = APIRouter(
    route_class=PageRoute, dependencies=[Depends(declared_only), Depends(named_language)], include_in_schema=False
)

Code = Annotated[str, Query(max_length=200)]


@router.get("/welcome")
def welcome(request: Request, caller: Anyone, code: Code = "") -> Response:
    """Let whoever holds a one-time link choose a password; looking at the page does not use the link up."""
    return page(request, "welcome.html", caller, _welcome(request, code))


@router.post("/welcome")
def begin(request: Request, caller: Anyone, form: SmallForm) -> Response:
    """Make the first account, begin a trial, or give an invited account its password."""
    code, now = form.field("code"), datetime.now(UTC)
    is_first = session.is_first_link(request, code)
    store = door_of(request).store
    with store.write() as connection:
        if form.field("do") == "trial":
            if not (is_first and session.is_local(request)):
                raise session.LinkUsed("trying out is for a browser on the server's own machine, by its printed link")
            found = accounts.trial(connection, Role, TRIAL_FIRM, now, now + TRIAL)
        elif is_first:
            found = accounts.first(
                connection, form.field("name"), form.field("display"), _password(form), Role.operator, now
            )
        else:
            found = accounts.accept(connection, code, _password(form), now)
        if is_first:
            session.redeem(request, code)
    return _entered(request, found)


@router.get("/sign-in")
def sign_in(request: Request, caller: Anyone) -> Response:
    """Ask who it is."""
    return page(request, "sign_in.html", caller, {})


@router.post("/sign-in")
def signed_in(request: Request, caller: Anyone, form: SmallForm) -> Response:
    """Sign in with name, password and code, or with an API key."""
    if key := form.field("key"):
        response = _to(request, _first(auth.known(request, key)))
        session.begin_with_key(request, response, key)
        return response
    door = door_of(request)
    address = request.client.host if request.client is not None else ""
    found = authenticate(
        door.store,
        door.keys,
        door.attempts,
        address,
        form.field("name"),
        form.fields.get("password", ""),
        form.field("code"),
    )
    return _entered(request, found)


@router.post("/sign-out")
def sign_out(request: Request, caller: Anyone, form: SmallForm) -> Response:
    """Sign out."""
    response = _to(request, "/")
    session.end(request, response)
    return response


@router.get("/account")
def own(request: Request, caller: Person) -> Response:
    """Show one's own account: sessions, password, second factor."""
    return page(request, "account.html", caller, _own(request, caller))


@router.post("/account/password")
def change_password(request: Request, caller: Person, form: SmallForm) -> Response:
    """Choose another password; every other session ends, and this one begins anew."""
    with door_of(request).store.read() as connection:
        name = accounts.by_id(connection, _id(caller)).name
    _prove(request, name, form)
    with door_of(request).store.write() as connection:
        found = accounts.change_password(connection, _id(caller), _password(form), datetime.now(UTC))
    return _entered(request, found, "/account")


@router.post("/account/sessions")
def end_sessions(request: Request, caller: Person, form: SmallForm) -> Response:
    """End one of one's own sessions, or all but this one."""
    now, which = datetime.now(UTC), form.field("session")
    with door_of(request).store.write() as connection:
        for one in sessions.of(connection, _id(caller), now):
            if str(one.id) == which or (which == "others" and one.id != caller.session):
                sessions.revoke(connection, _id(caller), one.id, now)
    return _to(request, "/account")


@router.get("/account/second-factor")
def second_factor_of(request: Request, caller: Person) -> Response:
    """Show the secret of the second factor as long as it waits for its first code."""
    with door_of(request).store.write() as connection:
        found = accounts.by_id(connection, _id(caller))
        secret = second_factor.begin(connection, door_of(request).keys, found.id, datetime.now(UTC))
    uri = totp.uri_of(secret, found.name)
    drawn = segno.make(uri, error="m", micro=False).svg_inline(scale=5, border=4, light="#fff")
    values = {"drawn": drawn, "secret": totp.text_of(secret), "codes": ()}
    return page(request, "second_factor.html", caller, values)


@router.post("/account/second-factor")
def confirm_second_factor(request: Request, caller: Person, form: SmallForm) -> Response:
    """Take the first code, and show the recovery codes, once."""
    with door_of(request).store.write() as connection:
        codes = second_factor.confirm(
            connection, door_of(request).keys, _id(caller), form.field("code"), datetime.now(UTC)
        )
    return page(request, "second_factor.html", caller, {"drawn": "", "secret": "", "codes": codes})


def _welcome(request: Request, code: str) -> dict[str, Any]:
    is_first = session.is_first_link(request, code)
    with door_of(request).store.read() as connection:
        is_first = is_first and not accounts.is_settled(connection)
        found = None if is_first else accounts.invited(connection, code, datetime.now(UTC))
    return {
        "code": code,
        "invited": found,
        "may_try": is_first and session.is_local(request),
        "least": passwords.LEAST,
    }


def _entered(request: Request, account: Account, to: str = "") -> Response:
    """Sign an account in, and lead whoever lacks a second factor to it."""
    caller = of_account(account)
    response = _to(request, "/account/second-factor" if caller.lacks_second_factor else to or _first(caller))
    session.begin(request, response, account)
    return response


def _first(caller: Caller) -> str:
    """Return where somebody begins: a firm's people at the firm, everybody else at the store."""
    return "/mine" if caller.may(Scope.read_own) and not caller.may(Scope.trace) else "/"


def _own(request: Request, caller: Caller) -> dict[str, Any]:
    with door_of(request).store.read() as connection:
        found = accounts.by_id(connection, _id(caller))
        live = sessions.of(connection, found.id, datetime.now(UTC))
    return {"account": found, "sessions": live, "this": caller.session, "least": passwords.LEAST}


def _prove(request: Request, name: str, form: Form) -> None:
    """See that it is still the same person who sits there.

    Raises
    ------
    SignInRefused
        The password or the code is not right.
    """
    door = door_of(request)
    address = request.client.host if request.client is not None else ""
    given = form.fields.get("current", "")
    authenticate(door.store, door.keys, door.attempts, address, name, given, form.field("code"))


def _password(form: Form) -> str:
    first = form.fields.get("password", "")
    if first != form.fields.get("again", ""):
        raise UsageRefused("the two passwords are not the same", place="again")
    return first


def _id(caller: Caller) -> int:
    assert caller.account is not None
    return caller.account


def _to(request: Request, path: str) -> Response:
    return RedirectResponse(link(request, path), SEE_OTHER, rendering.HEADERS)

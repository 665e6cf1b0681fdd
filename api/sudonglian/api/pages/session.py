"""Who is signed in on the pages, by a session or an API key; and forms that only we can have made.

service.md (sessions as secure cookies; CSRF protection); docs/decisions/0770 (accounts and the first link).
"""

import hmac
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from secrets import token_urlsafe
from threading import Lock
from typing import Annotated, Final

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from sudonglian.api import caller as callers
from sudonglian.api.caller import Caller
from sudonglian.api.http import auth
from sudonglian.api.http.door import door_of
from sudonglian.api.scopes import Scope
from sudonglian.api.signing_in import SignInRefused
from sudonglian.records import accounts, sessions
from sudonglian.records.accounts import Account
from sudonglian.records.sessions import LASTS

SESSION_COOKIE: Final = "sudonglian_session"
"""Holds the token of a session."""

KEY_COOKIE: Final = "sudonglian_key"
"""Holds an API key that was pasted."""

VISIT_COOKIE: Final = "sudonglian_visit"
"""Holds a random value that a form's token is made from."""

VISIT_BYTES: Final = 24
CODE_BYTES: Final = 32

LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})

FORWARDED: Final = (
    "forwarded",
    "x-forwarded-",
    "via",
    "x-real-ip",
    "x-client-ip",
    "true-client-ip",
    "cf-connecting-ip",
)
"""How headers begin that a proxy adds: behind one, every caller's address is the proxy's."""

PROXYS: Final = "1.0"
"""The version of HTTP in which nginx asks if nobody says otherwise, with this machine's own name for a host and nothing
added; no browser does."""


_REDEEMING: Final = Lock()
"""Two requests with one code must not both be first."""


class LinkUsed(auth.Unauthenticated):
    """A one-time link that was used already, or that another start of the server has printed."""


class FormRefused(auth.Forbidden):
    """A form that was not filled in on a page of this server."""


class Needs(auth.Needs):
    """The dependency of a page's route: the caller by the cookies, or by the header as everywhere."""

    def __call__(self, request: Request) -> Caller | None:
        """Return the caller; None for one who shows nothing where nothing is needed."""
        if "authorization" in request.headers:
            return super().__call__(request)
        return auth.admitted(signed_in(request), self.scope)


Anyone = Annotated[Caller | None, Depends(Needs(Scope.public))]
Person = Annotated[Caller, Depends(Needs(Scope.own_account))]
Owner = Annotated[Caller, Depends(Needs(Scope.read_own))]
RecordReader = Annotated[Caller, Depends(Needs(Scope.read_record))]
Capturer = Annotated[Caller, Depends(Needs(Scope.capture))]
Tracer = Annotated[Caller, Depends(Needs(Scope.trace))]
CaseWorker = Annotated[Caller, Depends(Needs(Scope.case))]
Approver = Annotated[Caller, Depends(Needs(Scope.reveal_approve))]
FollowUpWorker = Annotated[Caller, Depends(Needs(Scope.follow_up))]
Auditor = Annotated[Caller, Depends(Needs(Scope.audit))]
AccessAuditor = Annotated[Caller, Depends(Needs(Scope.access_log))]
Registrar = Annotated[Caller, Depends(Needs(Scope.accounts))]
Operator = Annotated[Caller, Depends(Needs(Scope.operate))]


def signed_in(request: Request) -> Caller | None:
    """Return who the cookies say it is, if that still holds."""
    now = datetime.now(UTC)
    if token := request.cookies.get(SESSION_COOKIE):
        store = door_of(request).store
        with store.read() as connection:
            found = callers.of_session(connection, token, now)
        if found is not None:
            caller, session = found
            if session.is_due(now):
                with store.write() as connection:
                    sessions.touch(connection, session, now)
            request.scope["sudonglian.key"] = caller.principal
            return caller
    if token := request.cookies.get(KEY_COOKIE):
        try:
            return auth.known(request, token)
        except auth.Unauthenticated:
            return None
    return None


def new_link(api: FastAPI, base: str) -> str:
    """Return a link whose first visitor makes the first account; the one printed before it is void."""
    api.state.pages_code = token_urlsafe(CODE_BYTES)
    return f"{base}/welcome?code={api.state.pages_code}"


def share_links(site: FastAPI, api: FastAPI) -> None:
    """Let the pages know the links that are printed for the application that they stand in front of."""
    site.state.api = api


def is_first_link(request: Request, code: str) -> bool:
    """Whether a code is that of the newest printed link, and not used yet."""
    issued: str = getattr(request.app.state.api.state, "pages_code", "")
    return bool(issued) and hmac.compare_digest(issued.encode(), code.encode(errors="replace"))


def redeem(request: Request, code: str) -> None:
    """Use up the printed link.

    Raises
    ------
    LinkUsed
        Not the code of the newest link, or used already.
    """
    with _REDEEMING:
        if not is_first_link(request, code):
            raise LinkUsed("this link has been used, or the server has been started again since")
        request.app.state.api.state.pages_code = ""


def begin(request: Request, response: Response, account: Account, lasts: timedelta = LASTS) -> None:
    """Sign an account in: a new session, a new value for forms, and whatever this browser had before ends.

    Raises
    ------
    SignInRefused
        The account was changed since it was found.
    """
    now = datetime.now(UTC)
    before = request.cookies.get(SESSION_COOKIE, "")
    with door_of(request).store.write() as connection:
        if (old := sessions.find(connection, before, now)) is not None:
            sessions.revoke(connection, old.account, old.id, now)
        token = accounts.begin_session(connection, account, now, lasts)
    if token is None:
        raise SignInRefused("this account has just been changed; sign in again")
    _set(request, response, SESSION_COOKIE, token, lasts)
    response.delete_cookie(KEY_COOKIE, httponly=True, samesite="strict")
    _set(request, response, VISIT_COOKIE, token_urlsafe(VISIT_BYTES))


def begin_with_key(request: Request, response: Response, token: str) -> None:
    """Let a browser show an API key.

    Raises
    ------
    Unauthenticated
        It is unknown, revoked or at its end.
    """
    auth.known(request, token.strip())
    _set(request, response, KEY_COOKIE, token.strip(), LASTS)
    response.delete_cookie(SESSION_COOKIE, httponly=True, samesite="strict")


def end(request: Request, response: Response) -> None:
    """Sign out: a session ends for good, an API key lives on elsewhere."""
    caller = signed_in(request)
    if caller is not None and caller.session is not None and caller.account is not None:
        with door_of(request).store.write() as connection:
            sessions.revoke(connection, caller.account, caller.session, datetime.now(UTC))
    for name in (SESSION_COOKIE, KEY_COOKIE, VISIT_COOKIE):
        response.delete_cookie(name, httponly=True, samesite="strict")


def visit_of(request: Request) -> str:
    """Return the value that this browser's forms are bound to, a new one for a new browser."""
    given = request.cookies.get(VISIT_COOKIE, "")
    fresh: str = getattr(request.state, "visit", "") or given or token_urlsafe(VISIT_BYTES)
    request.state.visit = fresh
    return fresh


def set_visit(request: Request, response: Response) -> None:
    """Let a new browser keep its value."""
    if visit_of(request) != request.cookies.get(VISIT_COOKIE):
        _set(request, response, VISIT_COOKIE, visit_of(request))


def form_token(request: Request) -> str:
    """Return what a form must bring back: nobody who cannot read this browser's cookies can make it."""
    return hmac.digest(visit_of(request).encode(), b"sudonglian/form/v1", "sha256").hex()


def check_form(request: Request, token: str) -> None:
    """Refuse a form that another site has made; a caller with a key in its header needs none.

    Raises
    ------
    FormRefused
        No token, another browser's, or sent from another origin.
    """
    if "authorization" in request.headers:
        return
    origin = request.headers.get("origin")
    if origin is not None and origin != f"{request.url.scheme}://{request.headers.get('host', '')}":
        raise FormRefused("the form comes from another site")
    if VISIT_COOKIE not in request.cookies or not hmac.compare_digest(form_token(request).encode(), token.encode()):
        raise FormRefused("the form has grown old; open its page again")


def is_local(request: Request) -> bool:
    """Whether the browser runs on this machine, and reached the server by this machine's own name."""
    if any(name.startswith(FORWARDED) for name in request.headers) or request.client is None:
        return False
    if request.scope.get("http_version") == PROXYS:
        return False
    host = request.headers.get("host", "")
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    try:
        return name in LOCAL_NAMES and ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _set(request: Request, response: Response, name: str, value: str, lasts: timedelta | None = None) -> None:
    seconds = None if lasts is None else int(lasts.total_seconds())
    is_secure = request.url.scheme == "https"
    response.set_cookie(name, value, seconds, httponly=True, samesite="strict", secure=is_secure)

"""Signing in to the pages: a link printed once when the server starts, or an API key; and forms that only we can have made.

service.md (sessions as secure cookies; CSRF protection); docs/decisions/0721 (why a session is an API key).
"""

import hmac
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from secrets import token_urlsafe
from threading import Lock
from typing import Annotated, Final

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response

from sudonglian.api.http import auth
from sudonglian.api.http.door import Door, door_of
from sudonglian.api.scopes import Scope
from sudonglian.records import api_keys
from sudonglian.records.api_keys import ApiKey

KEY_COOKIE: Final = "sudonglian_key"
"""Holds the API key of whoever is signed in."""

VISIT_COOKIE: Final = "sudonglian_visit"
"""Holds a random value that a form's token is made from."""

SESSION: Final = timedelta(hours=12)
"""A shift: who comes back tomorrow starts the server again, or shows an API key."""

SESSION_NAME: Final = "pages: one-time link"
SESSION_SCOPES: Final = (Scope.trace, Scope.operate)

VISIT_BYTES: Final = 24
CODE_BYTES: Final = 32

LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})

FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-forwarded-host", "via")
"""What a proxy adds: behind one, every caller's address is the proxy's."""


_REDEEMING: Final = Lock()
"""Two requests with one code must not both be first."""


class LinkUsed(auth.Unauthenticated):
    """A one-time link that was used already, or that another start of the server has printed."""


class FormRefused(auth.Forbidden):
    """A form that was not filled in on a page of this server."""


class Needs(auth.Needs):
    """The dependency of a page's route: the caller's key from the cookie, or from the header as everywhere."""

    def __call__(self, request: Request) -> ApiKey | None:
        """Return the caller's key; None for a caller without one where none is needed."""
        if "authorization" in request.headers:
            return super().__call__(request)
        caller = signed_in(request)
        if self.scope is Scope.public:
            return caller
        if caller is None:
            raise auth.Unauthenticated("this page needs you to be signed in")
        if self.scope not in caller.scopes:
            raise auth.Forbidden(f"your key has not the scope {self.scope}")
        return caller


Anyone = Annotated[ApiKey | None, Depends(Needs(Scope.public))]
Tracer = Annotated[ApiKey, Depends(Needs(Scope.trace))]
Capturer = Annotated[ApiKey, Depends(Needs(Scope.capture))]


def signed_in(request: Request) -> ApiKey | None:
    """Return the live key of the session's cookie."""
    token = request.cookies.get(KEY_COOKIE)
    if not token:
        return None
    with door_of(request).store.read() as connection:
        key = api_keys.find(connection, token, datetime.now(UTC))
    if key is not None:
        request.scope["sudonglian.key"] = key.prefix
    return key


def new_link(api: FastAPI, base: str) -> str:
    """Return a link that signs in whoever opens it first; the one printed before it is void."""
    api.state.pages_code = token_urlsafe(CODE_BYTES)
    return f"{base}/?key={api.state.pages_code}"


def share_links(site: FastAPI, api: FastAPI) -> None:
    """Let the pages know the links that are printed for the application that they stand in front of."""
    site.state.api = api


def redeem(request: Request, code: str) -> str:
    """Make a session of a link's code and return its token.

    Raises
    ------
    LinkUsed
        Not the code of the newest link, or used already.
    """
    state = request.app.state.api.state
    with _REDEEMING:
        issued: str = getattr(state, "pages_code", "")
        if not issued or not hmac.compare_digest(issued.encode(), code.encode()):
            raise LinkUsed("this link has been used, or the server has been started again since")
        state.pages_code = ""
    now = datetime.now(UTC)
    with door_of(request).store.write() as connection:
        _, token = api_keys.create(connection, SESSION_NAME, SESSION_SCOPES, now, expires=now + SESSION)
    return token


def check_token(door: Door, token: str) -> str:
    """Return a pasted API key if it may sign in.

    Raises
    ------
    Unauthenticated
        It is unknown, revoked or at its end.
    """
    token = token.strip()
    with door.store.read() as connection:
        if api_keys.find(connection, token, datetime.now(UTC)) is None:
            raise auth.Unauthenticated("the key is unknown, revoked or at its end")
    return token


def sign_out(request: Request) -> None:
    """End a session for good, if it came of a link; an API key lives on elsewhere."""
    key = signed_in(request)
    if key is not None and key.name == SESSION_NAME:
        with door_of(request).store.write() as connection:
            api_keys.revoke(connection, key.prefix, datetime.now(UTC))


def set_key(request: Request, response: Response, token: str) -> None:
    """Give the browser a session, or with an empty token take it away."""
    if token:
        seconds = int(SESSION.total_seconds())
        response.set_cookie(
            KEY_COOKIE, token, seconds, httponly=True, samesite="strict", secure=request.url.scheme == "https"
        )
    else:
        response.delete_cookie(KEY_COOKIE, httponly=True, samesite="strict")


def visit_of(request: Request) -> str:
    """Return the value that this browser's forms are bound to, a new one for a new browser."""
    given = request.cookies.get(VISIT_COOKIE, "")
    fresh: str = getattr(request.state, "visit", "") or given or token_urlsafe(VISIT_BYTES)
    request.state.visit = fresh
    return fresh


def set_visit(request: Request, response: Response) -> None:
    """Let a new browser keep its value."""
    if visit_of(request) != request.cookies.get(VISIT_COOKIE):
        response.set_cookie(
            VISIT_COOKIE, visit_of(request), httponly=True, samesite="strict", secure=request.url.scheme == "https"
        )


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
    if any(name in request.headers for name in FORWARDED) or request.client is None:
        return False
    host = request.headers.get("host", "")
    name = host if host.endswith("]") else host.rpartition(":")[0] or host
    try:
        return name in LOCAL_NAMES and ip_address(request.client.host).is_loopback
    except ValueError:
        return False

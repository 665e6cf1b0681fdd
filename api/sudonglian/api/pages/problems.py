"""What goes wrong on a page: said in a sentence, with what to do next, and never a stack trace.

service.md (errors say what to do next); the statuses are those of the HTTP door.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from sudonglian.api.caller import Caller
from sudonglian.api.errors import sentence
from sudonglian.api.http import edge, problems
from sudonglian.api.http.door import door_of
from sudonglian.api.pages import session
from sudonglian.api.pages.language import lang_of, texts, word
from sudonglian.api.pages.rendering import page
from sudonglian.chain.errors import SudonglianError

SHARED: Final = frozenset(
    {
        ("GET", "/records/{record_hash}"),
        ("GET", "/records/{record_hash}/bundle"),
        ("GET", "/lots/{lot:path}/bundle"),
        ("POST", "/verify"),
        ("GET", "/{link:gs1}"),
    }
)
"""Addresses that the API has too: who accepts HTML gets the page, everybody else the API."""

FORMS: Final = frozenset({"/trace", "/verify", "/sign-in", "/upload", "/mine/new", "/account/second-factor"})
"""Where a form stands at the address that it is sent to."""


class PageRoute(APIRoute):
    """A route whose refusals are pages."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match like any route, but leave a shared address to the API for whoever does not ask for HTML."""
        match, child = super().matches(scope)
        is_shared = any((method, self.path) in SHARED for method in self.methods or ())
        if match is not Match.NONE and is_shared and not asks_for_html(scope):
            return Match.NONE, {}
        return match, child

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, with our own pages for what it refuses."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:  # noqa: BLE001  whatever it is, a person gets a page that says what to do
                return problem(request, error)

        return answer


class NotHere:
    """The page of an address that nobody knows, for a browser."""

    def __init__(self, site: FastAPI) -> None:
        self.site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the page."""
        scope["app"] = self.site
        request = Request(scope, receive)
        await problem(request, HTTPException(404))(scope, receive, send)


def asks_for_html(scope: Scope) -> bool:
    """Whether a request comes from a browser's window."""
    accept = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    return b"text/html" in accept.lower()


def problem(request: Request, error: Exception) -> Response:
    """Return the page of a refusal."""
    lang = lang_of(request)
    match error:
        case SudonglianError():
            slug, status, reason, place = error.slug, problems.status_of(error), sentence(error, lang), error.place
        case HTTPException():
            status = error.status_code
            slug, reason, place = problems.HTTP_SLUGS.get(status, "usage"), "", ""
        case RequestValidationError():
            slug, status, reason, place = "usage", 400, word(lang, "problem.parameter"), ""
        case _:
            slug, status, reason, place = "unexpected", 500, "", ""
    if status >= problems.OWN_FAULT:
        edge.log_error(request.scope, error)
        reason, place = word(lang, "problem.own"), ""
    if ".json" in request.url.path and not asks_for_html(request.scope):
        return problems.answer(request, slug, status, ": ".join(part for part in (place, reason) if part))
    door_of(request).metrics.count("sudonglian_refusals_total", reason=slug)
    told = {
        "slug": slug,
        "status": status,
        "title_text": problems.title(slug, lang),
        "reason": reason,
        "place": place,
        "next_text": advice(slug, status, lang),
        "form": request.url.path if request.method == "POST" and request.url.path in FORMS else "",
        "request_id": request.scope.get("sudonglian.request", ""),
    }
    return page(request, "problem.html", _caller(request), told, status=status)


def _caller(request: Request) -> Caller | None:
    """Return who is signed in, as far as that can still be told."""
    try:
        return session.signed_in(request)
    except SudonglianError:
        return None


def advice(slug: str, status: int, lang: Any) -> str:
    """Return what to do next: for this very refusal, for its status, or for any."""
    for key in (f"next.{slug}", f"next.{status}"):
        if key in texts():
            return word(lang, key)
    return word(lang, "next.other")

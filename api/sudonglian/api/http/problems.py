"""Refusals as problem documents: a status for every branch of the error tree, a title in the caller's language.

RFC 9457. The type is `urn:sudonglian:problem:` and the error's stable slug; `errors` says where and what in detail.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route

from sudonglian.api import closing, signing_in
from sudonglian.api.errors import DoorError, UsageRefused, sentence
from sudonglian.api.http import auth, edge, links, parameters
from sudonglian.api.http.door import door_of
from sudonglian.api.settings import Lang
from sudonglian.api.words import translate
from sudonglian.chain.errors import ChainError, ProofRefused, RecordRefused, SudonglianError, TrustRefused
from sudonglian.records import (
    accounts,
    api_keys,
    bundles,
    cases,
    erasing,
    errors,
    interviews,
    jobs,
    outbox,
    passwords,
    pseudonyms,
    registry,
    reveals,
    second_factor,
    signatures,
    tasks,
    webhooks,
)
from sudonglian.records.querying import errors as query_errors
from sudonglian.records.sheets import faults
from sudonglian.records.store import StoreError
from sudonglian.records.temperature.errors import TemperatureRefused
from sudonglian.trace.errors import TraceError

MEDIA_TYPE: Final = "application/problem+json"
TYPE: Final = "urn:sudonglian:problem:"

STATUS: Final[dict[type[SudonglianError], int]] = {
    SudonglianError: 500,
    RecordRefused: 400,
    ProofRefused: 400,
    TrustRefused: 400,
    ChainError: 503,
    StoreError: 503,
    errors.StoreCorrupt: 500,
    errors.UnknownRecord: 404,
    errors.NotInLog: 404,
    errors.NotSealed: 409,
    errors.VaultRefused: 403,
    errors.UnknownPerson: 404,
    erasing.ReasonRefused: 422,
    pseudonyms.PseudonymRefused: 400,
    errors.KeysRefused: 500,
    bundles.BundleImpossible: 400,
    bundles.RecordsWithheld: 403,
    signatures.SignatureNotTaken: 422,
    signatures.RoleFilled: 409,
    signatures.CounterpartyRefused: 409,
    signatures.NoRegistry: 409,
    registry.RegistryError: 409,
    jobs.JobUnknown: 404,
    jobs.IdempotencyConflict: 409,
    api_keys.KeyRefused: 400,
    accounts.AccountRefused: 422,
    accounts.InviteRefused: 401,
    passwords.PasswordRefused: 422,
    second_factor.CodeRefused: 422,
    signing_in.SignInRefused: 401,
    signing_in.TooManyAttempts: 429,
    cases.CaseUnknown: 404,
    cases.CaseRefused: 422,
    cases.CaseClosed: 409,
    cases.CaseExists: 409,
    reveals.RevealRefused: 409,
    reveals.RevealUnknown: 404,
    reveals.OwnReveal: 403,
    interviews.StatementRefused: 422,
    tasks.TaskRefused: 422,
    tasks.TaskUnknown: 404,
    tasks.TaskOver: 409,
    tasks.NotRevealed: 409,
    closing.NoAuthority: 409,
    webhooks.WebhookRefused: 422,
    webhooks.WebhookUnknown: 404,
    outbox.MessageUnknown: 404,
    TemperatureRefused: 422,
    TraceError: 422,
    DoorError: 500,
    UsageRefused: 400,
    links.LinkUnknown: 404,
    auth.Unauthenticated: 401,
    auth.Forbidden: 403,
    parameters.BodyTooLarge: 413,
    faults.SheetTooLarge: 413,
    parameters.MediaTypeRefused: 415,
    parameters.NotAcceptable: 406,
    parameters.BodyRefused: 422,
    parameters.NoSuchResource: 404,
    parameters.UriTooLong: 414,
    query_errors.QueryRefused: 400,
    query_errors.QueryTooLarge: 413,
    query_errors.QueryTooComplex: 413,
    edge.TooManyRequests: 429,
}
"""By the nearest ancestor that stands here; a test walks the tree."""

HTTP_SLUGS: Final = {404: "not-found", 405: "method-not-allowed", 400: "usage", 406: "not-acceptable"}
"""What the framework itself refuses."""

OWN_FAULT: Final = 500
"""From here on the refusal's text is not told: it may speak of tables, files or hosts."""


def status_of(error: SudonglianError) -> int:
    """Return the HTTP status of an error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def lang_of(request: Request) -> Lang:
    """Return the language that is asked for; English if neither is.

    >>> from starlette.requests import Request
    >>> lang_of(Request({"type": "http", "headers": [(b"accept-language", b"fr, zh-CN;q=0.9, en;q=0.8")]}))
    'zh'
    """
    best: tuple[int, Lang] = 0, "en"
    for part in request.headers.get("accept-language", "")[:200].split(","):
        name, _, weight = part.partition(";")
        quality = parameters.quality_of(weight.strip())
        primary = name.strip().lower().partition("-")[0]
        if quality > best[0] and primary in ("zh", "en"):
            best = quality, "zh" if primary == "zh" else "en"
    return best[1]


def document(
    request: Request, slug: str, status: int, detail: str, errors: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Return a problem document."""
    lang = lang_of(request)
    return {
        "type": f"{TYPE}{slug}",
        "title": title(slug, lang),
        "status": status,
        "detail": detail,
        "request_id": request.scope.get("sudonglian.request", ""),
        **({"errors": list(errors)} if errors else {}),
    }


def title(slug: str, lang: Lang) -> str:
    """Return the heading of a slug."""
    told = translate(lang, f"error:{slug}")
    return slug.replace("-", " ") if told.startswith("error:") else told


def refused(request: Request, error: Exception) -> Response:
    """Answer a refusal of our own."""
    assert isinstance(error, SudonglianError)
    status = status_of(error)
    if status >= OWN_FAULT:
        edge.log_error(request.scope, error)
        return answer(request, error.slug, status, "the server could not do this; its log names the request")
    detail = sentence(error, lang_of(request))
    at = [{"pointer": error.place, "code": error.slug, "detail": detail}] if error.place else []
    extra: Mapping[str, str] = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if isinstance(error, parameters.BodyTooLarge):
        extra = error.headers
    return answer(request, error.slug, status, detail, at, extra)


def invalid(request: Request, error: Exception) -> Response:
    """Answer parameters that the framework refused; what was sent is not repeated."""
    assert isinstance(error, RequestValidationError)
    found = [
        {"pointer": "/".join(["", *map(str, one["loc"][1:])]), "code": one["type"], "detail": one["msg"]}
        for one in error.errors()
    ]
    zh, en = "参数缺失或不合要求,见 errors", "a parameter is missing or not what it must be"
    return answer(request, "usage", 400, zh if lang_of(request) == "zh" else en, found)


def framework(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses: no such path, no such method."""
    assert isinstance(error, HTTPException)
    slug = HTTP_SLUGS.get(error.status_code, "usage" if error.status_code < OWN_FAULT else "unexpected")
    headers, detail, path = dict(error.headers or {}), error.detail, request.url.path
    match error.status_code:
        case 404 if path.endswith("/") and _methods(request, path.rstrip("/")):
            detail = "there is nothing at this path, but there is without the slash at its end"
        case 404:
            detail = "there is nothing at this path; /openapi.json lists the paths that there are"
        case 405:
            # The framework names the methods of one route alone, and a path may have several.
            headers["Allow"] = ", ".join(_methods(request, path))
            detail = f"this path answers {headers['Allow']} alone"
    return answer(request, slug, error.status_code, detail, (), headers)


def _methods(request: Request, path: str) -> list[str]:
    """Return the methods that a path answers."""
    found = (
        route.methods or ()
        for route in request.app.routes
        if isinstance(route, Route) and route.matches({**request.scope, "path": path})[0] is not Match.NONE
    )
    return sorted(set().union(*found))


def answer(
    request: Request,
    slug: str,
    status: int,
    detail: str,
    errors: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the response of a problem, counted."""
    door_of(request).metrics.count("sudonglian_refusals_total", reason=slug)
    body = json.dumps(document(request, slug, status, detail, errors)).encode()
    told = {"Content-Language": lang_of(request), "Vary": "Accept-Language", **(headers or {})}
    return Response(body, status, told, MEDIA_TYPE)

"""Rendering: a template, its words, its links, and the headers that every page carries.

service.md (strict Content-Security-Policy, nothing from a CDN; every page is also .json; state lives in the URL).
"""

import gzip
import re
from collections.abc import Mapping
from functools import cache, partial
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from sudonglian.api.caller import Caller
from sudonglian.api.pages import scripts, session, times
from sudonglian.api.pages.language import known, lang_of, word
from sudonglian.trace.engine.pictures.svg import style

POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""No script at all: few pages need one."""

SCRIPTED: Final = f"{POLICY}; script-src 'self'"
"""Modules of this server, and no connection that a script could open: what is sent is a form."""

LINKED: Final = f"{SCRIPTED}; connect-src 'self'"
"""Of an answer's page, whose views read their data from this server."""

HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    # A form that is sent with "no-referrer" loses its Origin, which check_form looks at.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Vary": "Accept, Accept-Language, Cookie",
}

SEE_OTHER: Final = 303
"""After a form: the browser gets the page that shows what became of it (RFC 9110 §15.4.4)."""

STYLE: Final = "pages.css"

CURVE_STYLE: Final = "temperature.css"
"""Of pages that show a curve alone: what every page carries stays small."""

FIRM_STYLE: Final = "firm.css"
"""Of a firm's own pages, likewise."""

VIEWS_STYLE: Final = "views.css"

SCRIPT: Final = "text/javascript; charset=utf-8"

STATIC: Final = {
    STYLE: "text/css; charset=utf-8",
    CURVE_STYLE: "text/css; charset=utf-8",
    FIRM_STYLE: "text/css; charset=utf-8",
    VIEWS_STYLE: "text/css; charset=utf-8",
    **dict.fromkeys(
        ("views.js", "model.js", "list.js", "timeline.js", "places.js", "route.js", "canvas.js", "ask.js"), SCRIPT
    ),
    "icon.svg": "image/svg+xml",
}
"""Every file beside the pages, with its type."""


_PART: Final = re.compile(rb"""from "\./([a-z]+\.js)\"""")
"""Where a script takes in another one: what is kept for a year must change its address with its parts."""


@cache
def static(name: str) -> bytes:
    """Return a file of `STATIC`; the style sheet has the pictures' own rules too, a script its parts' addresses."""
    found = files("sudonglian.api.pages").joinpath("static", name).read_bytes()
    if STATIC[name] == SCRIPT:
        return _PART.sub(lambda part: f'from "{address_of(part[1].decode())}"'.encode(), found)
    return found + style().encode() if name == STYLE else found


@cache
def squeezed(name: str) -> bytes:
    """Return a file of `STATIC`, compressed: nothing in it is a secret."""
    return gzip.compress(static(name), mtime=0)


@cache
def address_of(name: str) -> str:
    """Return the address of a file of `STATIC`, which changes with it."""
    return f"/static/{name}?v={sha256(static(name)).hexdigest()[:12]}"


@cache
def environment() -> Environment:
    """Return the templates; a name that a template misspells is an error, not a blank."""
    made = Environment(
        loader=PackageLoader("sudonglian.api.pages", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(told=times.told, micros=times.of_micros)
    return made


def page(
    request: Request,
    template: str,
    caller: Caller | None,
    values: Mapping[str, Any],
    *,
    status: int = 200,
    json_url: str = "",
    refresh_s: int = 0,
    headers: Mapping[str, str] | None = None,
    script: str = "",
) -> Response:
    """Return a page; with `refresh_s` the browser asks for it again after so many seconds, `headers` go before ours.

    `script` is a module of `STATIC` that the page does without too; a policy among the headers allows it.
    """
    lang = lang_of(request)
    context = {
        **values,
        "lang": lang,
        "t": partial(word, lang),
        "known": partial(known, lang),
        "url": partial(link, request),
        "named": request.query_params.get("lang") in ("zh", "en"),
        "other_url": other_language(request),
        "caller": caller,
        "form_token": session.form_token(request),
        "style_url": address_of(STYLE),
        "module": scripts.address_of,
        "firm_style_url": address_of(FIRM_STYLE),
        "curve_style_url": address_of(CURVE_STYLE),
        "views_style_url": address_of(VIEWS_STYLE),
        "script_url": address_of(script) if script else "",
        "json_url": json_url,
        "refresh_s": refresh_s,
        "here": request.url.path,
    }
    body = environment().get_template(template).render(context)
    response = Response(
        body, status, {**HEADERS, "Content-Language": lang, **(headers or {})}, "text/html; charset=utf-8"
    )
    session.set_visit(request, response)
    return response


def link(request: Request, path: str, **values: object) -> str:
    """Return the address of a page, in the language that this page's address names."""
    named = request.query_params.get("lang")
    given = {name: str(value) for name, value in values.items() if value not in (None, "")}
    if named in ("zh", "en"):
        given["lang"] = named
    return quote(path, safe="/:@!$&'()*+,;=~") + (f"?{urlencode(given)}" if given else "")


def other_language(request: Request) -> str:
    """Return this page's address in the other language; a page that answered a form is begun anew."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in ("lang", "key")]
    other = "en" if lang_of(request) == "zh" else "zh"
    # Two slashes would begin another site's name.
    path = f"/{request.url.path.lstrip('/')}"
    return f"{quote(path)}?{urlencode([*kept, ('lang', other)])}"

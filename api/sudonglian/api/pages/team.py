"""The pages of the operator: accounts with their roles and links, keys, and servers that are told what happens.

service.md (operator); docs/decisions/0770 and 0823. A link, a token and a secret are each on one page, once.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import RedirectResponse, Response

from sudonglian.api import granting, webhook_words
from sudonglian.api.account_words import shown
from sudonglian.api.errors import UsageRefused
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import declared_only
from sudonglian.api.pages.forms import SmallForm
from sudonglian.api.pages.language import named_language
from sudonglian.api.pages.lists import table
from sudonglian.api.pages.problems import PageRoute
from sudonglian.api.pages.rendering import HEADERS, SEE_OTHER, link, page
from sudonglian.api.pages.session import Operator, Registrar
from sudonglian.api.parsing import span
from sudonglian.api.principals import act_of
from sudonglian.api.scopes import GRANTED, Role, check_roles
from sudonglian.api.settings import submitter as submitter_of
from sudonglian.api.webhook_address import MAX_URL, target_of
from sudonglian.api.webhook_sending import secret_text
from sudonglian.records import accounts, api_keys, outbox, webhooks

ACCOUNTS: Final = ("name", "display_name", "roles", "submitter", "state", "has_second_factor", "created", "principal")
KEYS: Final = ("prefix", "name", "scopes", "submitter", "state", "created", "expires", "account")
WEBHOOKS: Final = ("name", "url", "events", "firm", "state", "delivered", "waiting", "dead", "error", "created")

router = APIRouter(
    route_class=PageRoute, dependencies=[Depends(declared_only), Depends(named_language)], include_in_schema=False
)

Name = Annotated[str, Path(max_length=64)]


@router.get("/team.json")
def team_json(request: Request, caller: Registrar) -> Response:
    """Give accounts and keys as the API and commands do."""
    return json_answer(_team(request))


@router.get("/team.csv")
def team_csv(request: Request, caller: Registrar) -> Response:
    """Give the accounts as a table."""
    return table("accounts", ACCOUNTS, _team(request)["accounts"])


@router.get("/keys.csv")
def keys_csv(request: Request, caller: Registrar) -> Response:
    """Give the keys as a table."""
    return table("keys", KEYS, _team(request)["keys"])


@router.get("/team")
def team(request: Request, caller: Registrar) -> Response:
    """Show accounts and keys, and make some."""
    values = {**_team(request), "all_roles": list(Role), "all_scopes": GRANTED}
    return page(request, "team.html", caller, values, json_url=link(request, "/team.json"))


@router.post("/team")
def make_account(request: Request, caller: Registrar, form: SmallForm) -> Response:
    """Make an account; the page is the answer, and shows the one-time link once."""
    roles, firm = _roles(form.fields, form.field("submitter"))
    with door_of(request).store.write() as connection:
        made, code = accounts.invite(
            connection,
            form.field("name"),
            roles,
            datetime.now(UTC),
            display_name=form.field("display"),
            submitter=firm,
            by=caller.principal,
        )
    return _once(request, caller, "link", made.display_name, f"{request.base_url}welcome?code={code}", "/team")


@router.post("/team/{name}/{what}")
def change_account(request: Request, caller: Registrar, name: Name, what: str, form: SmallForm) -> Response:
    """Give an account other roles, end it, bring it back, or give it a new link."""
    now, by = datetime.now(UTC), caller.principal
    with door_of(request).store.write() as connection:
        match what:
            case "roles":
                roles, firm = _roles(form.fields, form.field("submitter"))
                accounts.set_roles(connection, name, roles, firm, now, by=by)
            case "disable":
                accounts.disable(connection, name, now, by=by)
            case "enable":
                accounts.enable(connection, name, now, by=by)
            case "unlock":
                accounts.unlock(connection, name, now)
            case "reset":
                found, code = accounts.reset(connection, name, now, by=by)
                link_of = f"{request.base_url}welcome?code={code}"
                return _once(request, caller, "link", found.display_name, link_of, "/team")
            case _:
                raise UsageRefused("this page has no such form", place="form")
    return _to(request, "/team")


@router.post("/keys")
def make_key(request: Request, caller: Registrar, form: SmallForm) -> Response:
    """Make a key; the page is the answer, and shows its token once."""
    now = datetime.now(UTC)
    scopes = [scope.value for scope in GRANTED if form.field(f"scope-{scope}")]
    firm, ends = form.field("submitter"), form.field("expires")
    with door_of(request).store.write() as connection:
        ((made, token),) = granting.make(
            connection,
            form.field("name"),
            scopes,
            now,
            by=caller.principal,
            account=form.field("account"),
            firms=[submitter_of(firm, "submitter")] if firm else [],
            expires=now + span(ends, "expires") if ends else None,
        )
    return _once(request, caller, "token", made.name, token, "/team")


@router.post("/keys/{prefix}/revoke")
def revoke_key(
    request: Request, caller: Registrar, prefix: Annotated[str, Path(max_length=64)], form: SmallForm
) -> Response:
    """End a key at once and for good."""
    with door_of(request).store.write() as connection:
        api_keys.revoke(connection, prefix, datetime.now(UTC), by=caller.principal)
    return _to(request, "/team")


@router.get("/hooks.json")
def hooks_json(request: Request, caller: Operator) -> Response:
    """Give every webhook as the API does."""
    return json_answer({"webhooks": _hooks(request), "types": webhook_words.types()})


@router.get("/hooks.csv")
def hooks_csv(request: Request, caller: Operator) -> Response:
    """Give the webhooks as a table."""
    return table("webhooks", WEBHOOKS, _hooks(request))


@router.get("/hooks")
def hooks(request: Request, caller: Operator) -> Response:
    """Show the servers that are told what happens, and add one."""
    values = {"hooks": _hooks(request), "types": webhook_words.types(), "max_url": MAX_URL}
    return page(request, "hooks.html", caller, values, json_url=link(request, "/hooks.json"))


@router.post("/hooks")
def make_hook(request: Request, caller: Operator, form: SmallForm) -> Response:
    """Add a server that is told; the page is the answer, and shows its secret once."""
    door, firm, url = door_of(request), form.field("firm"), form.field("url")
    target_of(url, door.webhook_hosts)
    events = [] if firm else [one for one in webhook_words.types() if form.field(f"event-{one}")]
    with door.store.write() as connection:
        whose = submitter_of(firm, "firm") if firm else None
        made, secret = webhooks.make(
            connection, door.keys, act_of(caller), form.field("name"), url, events=events, firm=whose
        )
    return _once(request, caller, "secret", made.name, secret_text(secret), "/hooks")


@router.get("/hooks/{name}.json")
def hook_json(request: Request, caller: Operator, name: Name) -> Response:
    """Give a webhook and its messages."""
    return json_answer(_hook(request, name))


@router.get("/hooks/{name}")
def hook(request: Request, caller: Operator, name: Name) -> Response:
    """Show a webhook, what became of its messages, and what can be done."""
    told = _hook(request, name)
    return page(request, "hook.html", caller, told, json_url=link(request, f"/hooks/{told['hook']['name']}.json"))


@router.post("/hooks/{name}/{what}")
def change_hook(request: Request, caller: Operator, name: Name, what: str, form: SmallForm) -> Response:
    """Try a server out, send again, or tell it nothing more."""
    now = datetime.now(UTC)
    with door_of(request).store.write() as connection:
        one = webhooks.by_name(connection, name)
        match what:
            case "end":
                webhooks.end(connection, name, now)
            case "ping":
                webhooks.check_living(one)
                outbox.ping(connection, one.id, now)
            case "redeliver":
                webhooks.check_living(one)
                outbox.again(connection, one.id, now, form.field("message"))
            case _:
                raise UsageRefused("this page has no such form", place="form")
    return _to(request, f"/hooks/{one.name}")


def _team(request: Request) -> dict[str, Any]:
    now = datetime.now(UTC)
    with door_of(request).store.read() as connection:
        people = [shown(one, now) for one in accounts.listed(connection)]
        keys = [granting.shown(one, now) for one in api_keys.listed(connection)]
    return {"accounts": people, "keys": keys}


def _hooks(request: Request) -> list[dict[str, Any]]:
    with door_of(request).store.read() as connection:
        return [webhook_words.shown(connection, one) for one in webhooks.listed(connection)]


def _hook(request: Request, name: str) -> dict[str, Any]:
    with door_of(request).store.read() as connection:
        one = webhooks.by_name(connection, name)
        told = [webhook_words.message(it) for it in outbox.listed(connection, one.id)[:100]]
        return {"hook": webhook_words.shown(connection, one), "messages": told}


def _roles(fields: Any, firm: str) -> tuple[tuple[Role, ...], str | None]:
    whose = submitter_of(firm, "submitter") if firm else None
    return check_roles([role for role in Role if fields.get(f"role-{role}")], whose), whose


def _once(request: Request, caller: Any, kind: str, name: str, value: str, back: str) -> Response:
    values = {"kind": kind, "name": name, "value": value, "back": back}
    return page(request, "once.html", caller, values)


def _to(request: Request, path: str) -> Response:
    return RedirectResponse(link(request, path), SEE_OTHER, HEADERS)

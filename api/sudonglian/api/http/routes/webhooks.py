"""Webhooks over HTTP, for an operator: servers that are told what happens, and what became of each message.

docs/webhooks.md; docs/decisions/0823. A secret is in one answer.
"""

from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Path, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from sudonglian.api import webhook_words
from sudonglian.api.http.answers import json_answer
from sudonglian.api.http.auth import Operator
from sudonglian.api.http.door import door_of
from sudonglian.api.http.parameters import JsonBody, described, door_router, parsed
from sudonglian.api.principals import act_of
from sudonglian.api.settings import submitter as submitter_of
from sudonglian.api.webhook_address import MAX_URL, target_of
from sudonglian.api.webhook_sending import secret_text
from sudonglian.records import outbox, webhooks

router = door_router("/webhooks", "Webhooks")

Name = Annotated[str, Path(max_length=64, description="The webhook's name.")]
Type = Annotated[str, Field(max_length=40)]


class WebhookMaking(BaseModel):
    """A server that is to be told."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(max_length=64)
    url: str = Field(max_length=MAX_URL, description="https; http for hosts of SUDONGLIAN_WEBHOOK_HOSTS.")
    events: list[Type] = Field([], max_length=40, description="Types of messages; all if empty.")
    firm: str = Field("", max_length=2_000, description="The firm whose server it is: told its exposed stock alone.")


class Redelivery(BaseModel):
    """What is to be sent again."""

    model_config = ConfigDict(extra="forbid", strict=True)

    message: str = Field("", max_length=64, description="One message; all that were given up if empty.")


@router.get("")
def list_webhooks(request: Request, caller: Operator) -> Response:
    """List every webhook, how it stands, and what can be told."""
    with door_of(request).store.read() as connection:
        found = [webhook_words.shown(connection, one) for one in webhooks.listed(connection)]
    return json_answer({"webhooks": found, "types": webhook_words.types()})


@router.post("", status_code=201, openapi_extra=described(WebhookMaking))
def make_webhook(request: Request, caller: Operator, raw: JsonBody) -> Response:
    """Add a server that is told; `secret` is in this answer alone."""
    asked, door = parsed(WebhookMaking, raw), door_of(request)
    target_of(asked.url, door.webhook_hosts, "/url")
    firm = submitter_of(asked.firm, "/firm") if asked.firm else None
    with door.store.write() as connection:
        made, secret = webhooks.make(
            connection, door.keys, act_of(caller), asked.name, asked.url, events=asked.events, firm=firm
        )
        told = webhook_words.shown(connection, made)
    return json_answer({**told, "secret": secret_text(secret)}, 201, {"Location": f"/webhooks/{made.name}"})


@router.get("/{name}")
def show_webhook(request: Request, caller: Operator, name: Name) -> Response:
    """Show how a webhook stands."""
    with door_of(request).store.read() as connection:
        return json_answer(webhook_words.shown(connection, webhooks.by_name(connection, name)))


@router.get("/{name}/messages")
def list_messages(
    request: Request,
    caller: Operator,
    name: Name,
    state: Annotated[Literal["", "waiting", "delivered", "dead"], Query(description="Only these.")] = "",
) -> Response:
    """List the messages of a webhook, the newest first."""
    with door_of(request).store.read() as connection:
        one = webhooks.by_name(connection, name)
        found = [webhook_words.message(it) for it in outbox.listed(connection, one.id, state)]
    return json_answer({"webhook": one.name, "messages": found})


@router.post("/{name}/ping", status_code=202)
def ping_webhook(request: Request, caller: Operator, name: Name) -> Response:
    """Write a message that says nothing, to try a server out; the worker sends it."""
    with door_of(request).store.write() as connection:
        one = webhooks.by_name(connection, name)
        webhooks.check_living(one)
        return json_answer(webhook_words.message(outbox.ping(connection, one.id, datetime.now(UTC))), 202)


@router.post("/{name}/redeliver", status_code=202, openapi_extra=described(Redelivery))
def redeliver(request: Request, caller: Operator, name: Name, raw: JsonBody) -> Response:
    """Let the worker send again what was given up, or one message."""
    asked = parsed(Redelivery, raw)
    with door_of(request).store.write() as connection:
        one = webhooks.by_name(connection, name)
        webhooks.check_living(one)
        many = outbox.again(connection, one.id, datetime.now(UTC), asked.message)
    return json_answer({"webhook": one.name, "again": many}, 202)


@router.post("/{name}/end")
def end_webhook(request: Request, caller: Operator, name: Name) -> Response:
    """Tell a server nothing more."""
    with door_of(request).store.write() as connection:
        return json_answer(webhook_words.shown(connection, webhooks.end(connection, name, datetime.now(UTC))))

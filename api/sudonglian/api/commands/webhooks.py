"""Commands of the operator: servers that are told what happens, and what became of each message.

docs/webhooks.md; docs/decisions/0823. A secret is shown once.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from sudonglian.api import webhook_words
from sudonglian.api.console import DONE, Console
from sudonglian.api.principals import login
from sudonglian.api.settings import submitter as submitter_of
from sudonglian.api.webhook_address import target_of
from sudonglian.api.webhook_sending import secret_text
from sudonglian.api.wiring import open_house
from sudonglian.records import outbox, webhooks
from sudonglian.records.cases import Act

app = typer.Typer(help="Servers that are told what happens in cases, signed.", rich_markup_mode=None)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The webhook's name.")]


@app.command()
def add(
    context: typer.Context,
    name: Name,
    url: Annotated[str, typer.Argument(metavar="URL", help="An https address; http for SUDONGLIAN_WEBHOOK_HOSTS.")],
    event: Annotated[
        list[str] | None, typer.Option(metavar="TYPE", help="What it is told; several; everything if absent.")
    ] = None,
    firm: Annotated[
        str, typer.Option(metavar="URI", help="The firm whose server it is: told its exposed stock alone.")
    ] = "",
) -> int:
    """Add a server that is told, and show its secret, once: by it the server knows that it is told by this one."""
    console: Console = context.obj
    target_of(url, console.settings.webhook_hosts, "URL")
    whose = submitter_of(firm, "--firm") if firm else None
    act = Act(login(), datetime.now(UTC))
    with open_house(console, create=False) as house, house.store.write() as connection:
        made, secret = webhooks.make(connection, house.keys, act, name, url, events=event or (), firm=whose)
        told = webhook_words.shown(connection, made)
    text = secret_text(secret)
    lines = [
        text,
        console.text("give it to {name}'s server; it is not shown again", name=made.name),
        *(f"  {one}: {webhook_words.types()[one]}" for one in told["events"]),
    ]
    console.emit({**told, "secret": text}, lines)
    return DONE


@app.command("list")
def list_(context: typer.Context) -> int:
    """List every webhook, how it stands, and what it can be told."""
    console: Console = context.obj
    with open_house(console, create=False) as house, house.store.read() as connection:
        found = [webhook_words.shown(connection, one) for one in webhooks.listed(connection)]
    console.emit({"webhooks": found, "types": webhook_words.types()}, [_line(console, one) for one in found])
    return DONE


@app.command()
def messages(
    context: typer.Context,
    name: Name,
    state: Annotated[str, typer.Option(metavar="STATE", help="Only these: waiting, delivered or dead.")] = "",
) -> int:
    """List the messages of a webhook, the newest first: what waits, was taken, or was given up."""
    console: Console = context.obj
    with open_house(console, create=False) as house, house.store.read() as connection:
        one = webhooks.by_name(connection, name)
        found = [webhook_words.message(it) for it in outbox.listed(connection, one.id, state)]
    lines = [f"{it['message']}  {it['type']}  {it['state']}  {it['attempts']}  {it['error']}" for it in found]
    console.emit({"webhook": one.name, "messages": found}, lines)
    return DONE


@app.command()
def ping(context: typer.Context, name: Name) -> int:
    """Write a message that says nothing, to try a server out; the worker sends it."""
    console: Console = context.obj
    with open_house(console, create=False) as house, house.store.write() as connection:
        one = webhooks.by_name(connection, name)
        webhooks.check_living(one)
        told = webhook_words.message(outbox.ping(connection, one.id, datetime.now(UTC)))
    console.emit({"webhook": name, **told}, [console.text("{message} waits for the worker", message=told["message"])])
    return DONE


@app.command()
def redeliver(
    context: typer.Context,
    name: Name,
    message: Annotated[
        str, typer.Option(metavar="ID", help="This message, also if it was taken; all that were given up if absent.")
    ] = "",
) -> int:
    """Let the worker send again what was given up, or one message."""
    console: Console = context.obj
    with open_house(console, create=False) as house, house.store.write() as connection:
        one = webhooks.by_name(connection, name)
        webhooks.check_living(one)
        many = outbox.again(connection, one.id, datetime.now(UTC), message)
    console.emit({"webhook": name, "again": many}, [console.text("{many} messages are sent again", many=many)])
    return DONE


@app.command()
def end(context: typer.Context, name: Name) -> int:
    """Tell a server nothing more: its secret is forgotten, and what waits for it."""
    console: Console = context.obj
    with open_house(console, create=False) as house, house.store.write() as connection:
        one = webhooks.end(connection, name, datetime.now(UTC))
        told = webhook_words.shown(connection, one)
    console.emit(told, [_line(console, told)])
    return DONE


def register(root: typer.Typer) -> None:
    """Add these commands to the command line."""
    root.add_typer(app, name="webhooks")


def _line(console: Console, one: dict[str, Any]) -> str:
    told = console.text("{delivered} taken, {waiting} waiting, {dead} given up", **one)
    return "  ".join(it for it in (one["name"], one["state"], one["url"], one["firm"] or "", told, one["error"]) if it)

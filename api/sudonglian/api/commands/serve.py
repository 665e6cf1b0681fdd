"""The command that opens the HTTP door.

service.md (HTTP; stateless processes behind any load balancer); docs/http.md.
"""

import errno
import signal
import socket
import sys
from ipaddress import ip_address
from threading import Event, Thread
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sudonglian.api import worker
from sudonglian.api.console import DONE, Console, tell
from sudonglian.api.errors import UsageRefused
from sudonglian.api.wiring import open_house
from sudonglian.chain.errors import SudonglianError

if TYPE_CHECKING:
    from sudonglian.api.http.door import Door

RATE: Final = 100
"""Requests a second for one address: a busy warehouse scans ten, a monitor reads a thousand entries with each."""

GRACE_S: Final = 5
"""How long a stopping server lets answers end; whoever listens to a trace's progress asks again elsewhere."""

BACKLOG: Final = 512

REASONS: Final[dict[int | None, str]] = {
    errno.EADDRINUSE: "something listens there already; end it, or choose another --port (0 takes a free one)",
    errno.EACCES: "this user may not listen there; a --port from 1024 on may be",
}

UNEXPECTED: Final = "unexpected"


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(metavar="HOST", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, metavar="PORT", help="The port; 0 takes a free one.")] = 8000,
    rate: Annotated[
        int, typer.Option(min=0, metavar="N", help="Requests a second for one address; 0 for any number.")
    ] = RATE,
    with_worker: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Whether this process also seals and anchors.")
    ] = True,
) -> int:
    """Serve HTTP until SIGTERM or ^C: EPCIS capture and query, proofs, traces (docs/http.md)."""
    # Half a second of imports that no other command needs.
    import uvicorn

    from sudonglian.api.http.app import create_app
    from sudonglian.api.http.door import Door
    from sudonglian.api.pages.session import new_link

    console: Console = context.obj
    listening = _listen(host, port)
    with open_house(console) as house:
        prefixes = console.settings.company_prefixes
        resolver = console.settings.resolver
        door = Door(
            house.store, house.keys, console.settings.seal_after_s, rate, prefixes, resolver, house.open_network_once
        )
        app = create_app(door)
        config = uvicorn.Config(
            app,
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        stopping = Event()
        sealing = Thread(target=_work, args=(console, door, stopping), name="worker")
        # When it has ended, uvicorn raises the signal that ended it once more; by then there is nothing left to stop.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: None)
        if with_worker:
            sealing.start()
        try:
            address = listening.getsockname()
            shown = f"[{address[0]}]" if ":" in address[0] else address[0]
            base = f"http://{shown}:{address[1]}"
            console.say("serving on {url}", url=base)
            if ip_address(address[0]).is_loopback:
                console.say("sign in on this machine, once, with {link}", link=new_link(app, base))
            uvicorn.Server(config).run(sockets=[listening])
        finally:
            stopping.set()
            if with_worker:
                sealing.join()
    console.emit({"stopped": True}, [console.text("the server has stopped")])
    return DONE


def register(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(serve)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        number = error.errno if isinstance(error, OSError) else None
        raise UsageRefused(REASONS.get(number, "no such address here"), place=f"{host}:{port}") from error


def _work(console: Console, door: "Door", stopping: Event) -> None:
    """Be the worker, with a store and a network of its own; what ends it shows in /readyz."""
    from sudonglian.api.http import edge

    try:
        with open_house(console) as house:
            worker.loop(console, house, stopping)
    except SudonglianError as error:
        door.worker_ended = error.slug
        tell(sys.stderr, error.diagnostics())
    except Exception as error:  # noqa: BLE001  reading and capturing go on; an operator sees it in /readyz
        door.worker_ended = UNEXPECTED
        edge.log_error({}, error)

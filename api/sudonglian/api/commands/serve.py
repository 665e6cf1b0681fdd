"""The command that opens the HTTP door.

service.md (HTTP; stateless processes behind any load balancer); docs/http.md.
"""

import errno
import signal
import socket
from typing import Annotated, Final

import typer

from sudonglian.api import collector
from sudonglian.api.console import DONE, Console
from sudonglian.api.errors import UsageRefused
from sudonglian.api.wiring import STARTING_PATIENCE_S, open_house, tell_of_carelessness
from sudonglian.api.worker_process import WorkerProcess

RATE: Final = 100
"""Requests a second for one address: a busy warehouse scans ten, a monitor reads a thousand entries with each."""

GRACE_S: Final = 5
"""How long a stopping server lets answers end; whoever listens to a trace's progress asks again elsewhere."""

BACKLOG: Final = 512

REASONS: Final[dict[int | None, str]] = {
    errno.EADDRINUSE: "something listens there already; end it, or choose another --port (0 takes a free one)",
    errno.EACCES: "this user may not listen there; a --port from 1024 on may be",
}


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(metavar="HOST", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, metavar="PORT", help="The port; 0 takes a free one.")] = 8000,
    rate: Annotated[
        int, typer.Option(min=0, metavar="N", help="Requests a second for one address; 0 for any number.")
    ] = RATE,
    with_worker: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Whether a process beside it seals and anchors.")
    ] = True,
) -> int:
    """Serve HTTP until SIGTERM or ^C: EPCIS capture and query, proofs, traces (docs/http.md)."""
    # Half a second of imports that no other command needs.
    import uvicorn

    from sudonglian.api.http.app import create_app
    from sudonglian.api.http.door import Door
    from sudonglian.api.pages.session import new_link
    from sudonglian.records.accounts import is_settled

    console: Console = context.obj
    listening = _listen(host, port)
    with open_house(console, patience_s=STARTING_PATIENCE_S) as house:
        tell_of_carelessness(console, house)
        prefixes = console.settings.company_prefixes
        resolver = console.settings.resolver
        door = Door(
            house.store,
            house.keys,
            console.settings.seal_after_s,
            rate,
            prefixes,
            resolver,
            house.open_network_once,
            console.settings.classes,
            smallest_count=console.settings.smallest_count,
            submitter=console.settings.submitter if console.settings.names_submitter else None,
            webhook_hosts=console.settings.webhook_hosts,
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
        server = uvicorn.Server(config)
        # Until it listens to signals itself. When it has ended, it raises the one that ended it once more; by then
        # there is nothing left to stop.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: setattr(server, "should_exit", True))
        sealing = WorkerProcess(console, door.end_worker, door.begin_worker) if with_worker else None
        try:
            address = listening.getsockname()
            shown = f"[{address[0]}]" if ":" in address[0] else address[0]
            base = f"http://{shown}:{address[1]}"
            console.say("serving on {url}", url=base)
            with house.store.read() as connection:
                has_accounts = is_settled(connection)
            if not has_accounts:
                console.say("nobody has an account yet; make the first, once, with {link}", link=new_link(app, base))
            collector.spare()
            server.run(sockets=[listening])
        finally:
            if sealing is not None:
                sealing.stop()
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

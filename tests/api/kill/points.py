"""A server that ends itself by SIGKILL at a chosen point of the transaction of one request, or of its answer.

The program is the real one; what is added hangs in SQLAlchemy's and the door's own hooks, in a forked process alone.
"""

import os
import signal
import threading
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.default import DefaultDialect

from sudonglian.api import cli
from sudonglian.api.http.edge import Edge

WRITES: Final = "sudonglian_writes"

COMMITTING: Final = "committing"
COMMITTED: Final = "committed"
ANSWERING: Final = "before the answer"
BETWEEN: Final = "between head and body"
ANSWERED: Final = "after the answer"

Hook = Callable[[str, str], None]
"""Is told the Idempotency-Key of the request that is served, if it is one, and the point."""

_SERVED: Final[ContextVar[str]] = ContextVar("_SERVED", default="")


class _Here(threading.local):
    writes = False
    statements = 0


def watch(at: Hook) -> None:
    """Tell of every point that this process comes to. It cannot be undone."""
    here = _Here()
    commit, serve = DefaultDialect.do_commit, Edge.__call__

    def begun(connection: Connection) -> None:
        here.writes, here.statements = bool(connection.get_execution_options().get(WRITES)), 0
        if here.writes:
            at(_SERVED.get(), "begun")

    def done(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if here.writes and not statement.startswith(("BEGIN", "PRAGMA")):
            here.statements += 1
            at(_SERVED.get(), f"{here.statements}: {' '.join(statement.split()[:3])}")

    def undone(_connection: Connection) -> None:
        here.writes = False

    def committed(self: DefaultDialect, connection: Any) -> None:
        writes, here.writes = here.writes, False
        if writes:
            at(_SERVED.get(), COMMITTING)
        commit(self, connection)  # type: ignore[no-untyped-call]
        if writes:
            at(_SERVED.get(), COMMITTED)

    async def served(self: Edge, scope: Any, receive: Any, send: Any) -> None:
        key = dict(scope.get("headers", ())).get(b"idempotency-key", b"").decode()

        async def sent(message: Any) -> None:
            is_head = message["type"] == "http.response.start"
            at(key, ANSWERING if is_head else BETWEEN)
            await send(message)
            if not is_head:
                at(key, ANSWERED)

        _SERVED.set(key)
        await serve(self, scope, receive, sent)

    event.listen(Engine, "begin", begun)
    event.listen(Engine, "after_cursor_execute", done)
    event.listen(Engine, "rollback", undone)
    DefaultDialect.do_commit = committed  # type: ignore[method-assign]
    Edge.__call__ = served  # type: ignore[method-assign]


def forked(env: dict[str, str], said: Path, at: Hook, work: Callable[[], None]) -> int:
    """Do work in a process of its own that tells of its points; return its number."""
    child = os.fork()
    if child:
        return child
    try:
        os.environ.update(env)
        with said.open("ab") as log:
            for stream in (1, 2):
                os.dup2(log.fileno(), stream)
        watch(at)
        work()
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
    finally:
        os._exit(1)


def serve(port: int) -> Callable[[], None]:
    """Return the work of a server that does not seal."""

    def work() -> None:
        cli.main(["serve", "--port", str(port), "--rate", "0", "--no-worker"])

    return work


def dies_at(key: str, point: str) -> Hook:
    """Return a hook that ends the process at the point, or the first that begins so, of the request of that key."""

    def at(served: str, here: str) -> None:
        if served == key and here.startswith(point):
            os.kill(os.getpid(), signal.SIGKILL)

    return at


def notes(path: Path) -> Hook:
    """Return a hook that writes every point down."""

    def at(served: str, here: str) -> None:
        with path.open("a") as file:
            file.write(f"{served}\t{here}\n")

    return at


def noted(path: Path, key: str) -> list[str]:
    """Return the points of a request, in their order."""
    lines = (line.split("\t") for line in path.read_text().splitlines())
    return list(dict.fromkeys(here for served, here in lines if served == key))


def was_killed(child: int) -> bool:
    """Wait for the end of a process; say whether it was SIGKILL."""
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL

"""How far a trace is: stages that it reports to whoever wants to know, while the work goes on as it would unseen.

docs/decisions/0314; a report changes no answer, and the engine knows no clock: whoever listens decides how often to tell.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal, NamedTuple, TypeVar

StageName = Literal["sealing", "records", "facts", "index", "possible", "certain", "members", "document", "graph"]

Thing = TypeVar("Thing")

EVERY: Final = 256
"""So many things are done between two reports: some milliseconds of work."""


class Stage(NamedTuple):
    """What is being done, how many of how many things are done (None: not known), and what it is about in number.

    In the stages `possible` and `certain`, `done` is the generation and `size` how many it newly exposes; in the
    stages of one step `done` is 0.
    """

    name: StageName
    done: int = 0
    total: int | None = None
    size: int | None = None


Report = Callable[[Stage], None]


def silent(_stage: Stage) -> None:
    """Tell nobody."""


def counted(name: StageName, things: Sequence[Thing], report: Report) -> Iterator[Thing]:
    """Yield the things, and report how many are done.

    >>> told = []
    >>> len(list(counted("facts", range(300), told.append)))
    300
    >>> [(stage.done, stage.total) for stage in told]
    [(0, 300), (256, 300), (300, 300)]
    """
    for done, thing in enumerate(things):
        if done % EVERY == 0:
            report(Stage(name, done, len(things)))
        yield thing
    report(Stage(name, len(things), len(things)))

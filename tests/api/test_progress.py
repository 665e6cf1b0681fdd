"""Telling how far long work is: in its own thread, only what is new, in words of both languages, on standard error."""

import io
import sys
from threading import Event
from typing import get_args

import pytest

from sudonglian.api.commands import tracing
from sudonglian.api.console import ERASE_REST, Console
from sudonglian.api.progress import Progress
from sudonglian.api.settings import Lang, read
from sudonglian.trace.engine.progress import Stage, StageName

WITHIN_S = 60


def test_the_last_stage_is_told_though_nothing_follows_and_never_twice() -> None:
    told: list[Stage] = []
    both = Event()

    def tell(stage: Stage) -> None:
        told.append(stage)
        if len(told) == 1:
            progress.report(Stage("index", total=3))
            progress.report(Stage("index", total=3))
            progress.report(Stage("members", total=3))
        else:
            both.set()

    with Progress(tell, 0.001) as progress:
        progress.report(Stage("facts", 1, 2))
        assert both.wait(WITHIN_S)
    assert told == [Stage("facts", 1, 2), Stage("members", total=3)]
    progress.report(Stage("document"))
    assert len(told) == 2


def test_short_work_says_nothing() -> None:
    told: list[Stage] = []
    with Progress(told.append, WITHIN_S) as progress:
        progress.report(Stage("facts", 1, 2))
    assert told == []


class Terminal(io.StringIO):
    """A standard error that somebody watches, or not."""

    def __init__(self, watched: bool) -> None:
        super().__init__()
        self.watched = watched
        self.told = Event()

    def isatty(self) -> bool:
        return self.watched

    def flush(self) -> None:
        self.told.set()


@pytest.mark.parametrize("watched", [True, False])
def test_a_trace_shows_its_stages_on_standard_error(watched: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "TELL_S", 0.001)
    screen = Terminal(watched)
    monkeypatch.setattr(sys, "stderr", screen)
    with tracing._watched(console("zh")) as report:
        report(Stage("facts", 3, 9))
        assert screen.told.wait(WITHIN_S)
    words = "由事件推出事实:3/9"
    assert screen.getvalue() == (f"\r{words}{ERASE_REST}\r\r{ERASE_REST}\r" if watched else f"{words}\n")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_stage_has_words(lang: Lang) -> None:
    for name in get_args(StageName):
        assert tracing._stage(console(lang), Stage(name, 1, 2, 3))


def console(lang: Lang) -> Console:
    return Console(read({}), lang, False)

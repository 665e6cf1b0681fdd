"""Telling how far a trace is: in a thread of its own, only what is new, in words of both languages."""

import re
from threading import Event
from typing import Any, get_args

import pytest

from sudonglian.api import working
from sudonglian.api.commands import sample, tracing
from sudonglian.api.console import Console
from sudonglian.api.http.progress import Progress
from sudonglian.api.settings import Lang, read
from sudonglian.trace.engine.progress import Stage, StageName
from sudonglian.trace.engine.strands import Strands

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


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_stage_has_words(lang: Lang) -> None:
    for name in get_args(StageName):
        assert tracing._stage(console(lang), Stage(name, 1, 2, 3))


def test_a_command_that_traces_says_how_far_it_is(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine is held behind a stage until that stage has been told."""
    monkeypatch.setattr(working, "FIRST_S", 0.001)
    monkeypatch.setattr(working, "LOG_S", 0.001)
    told = Event()
    status, derive = Console.status, Strands.facts

    def noticed(console: Console, text: str) -> None:
        status(console, text)
        if "deriving facts" in text:
            told.set()

    def held(*arguments: Any, **named: Any) -> Any:
        found = derive(*arguments, **named)
        assert told.wait(WITHIN_S)
        return found

    monkeypatch.setattr(Console, "status", noticed)
    monkeypatch.setattr(Strands, "facts", held)
    assert run("sample", "load", "--lang", "en").code == 0
    story = sample.stories()["frozen-fish"]
    done = run("trace", story["seed"], "--at", story["at"], "--purpose", "t", "--lang", "en")
    assert done.code == 0
    assert re.search(r"tracing… deriving facts from events: \d+ of \d+ \(0:\d\d\)", done.err)


def console(lang: Lang) -> Console:
    return Console(read({}), lang, False)

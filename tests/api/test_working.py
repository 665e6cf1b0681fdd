"""Long work says what it is doing: one line on a terminal, a line now and then in a log, nothing while it is short."""

import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sudonglian.api import settings, working
from sudonglian.api.console import Console

SPEAKS_WITHIN_S = 60


@pytest.fixture
def console() -> Console:
    return Console(settings.read({}), "en", False)


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "FIRST_S", 0)


def until(said: Callable[[], str], wanted: str) -> str:
    """Gather what is said until something is."""
    heard, deadline = "", time.monotonic() + SPEAKS_WITHIN_S
    while wanted not in heard and time.monotonic() < deadline:
        heard += said()
        time.sleep(0.01)
    return heard


def test_short_work_says_nothing(
    console: Console, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(working, "FIRST_S", 3600)
    with working.working(console, "checking everything") as work:
        work.at(1, 2)
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("at_once")
def test_a_log_gets_whole_lines(
    console: Console, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(working, "LOG_S", 0.05)
    with working.working(console, "checking everything") as work:
        first = until(lambda: capfd.readouterr().err, "\n")
        work.at(3, 7)
        later = until(lambda: capfd.readouterr().err, "3/7")
    out, err = capfd.readouterr()
    lines = (first + later + err).splitlines()
    assert lines[0].startswith("checking everything… (0:0")
    assert all(line.startswith("checking everything… ") for line in lines)
    assert any(line.startswith("checking everything… 3/7 (") for line in lines)
    assert out == ""


@pytest.mark.usefixtures("at_once")
def test_a_terminal_gets_one_line_that_is_wiped(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = os.openpty()
    with open(near, "rb", buffering=0) as screen, open(far, "w", encoding="utf-8") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        with working.working(console, "checking everything") as work:
            heard = until(lambda: screen.read(4096).decode(errors="ignore"), "checking everything")
            work.at(5)
            heard += until(lambda: screen.read(4096).decode(errors="ignore"), "5 (")
            console.say("{error}", error="a word in between")
        heard += until(lambda: screen.read(4096).decode(errors="ignore"), "\r\n\r\x1b[K\r")
    assert heard.count("\n") == 1  # that of the word in between
    assert "a word in between\x1b[K" in heard
    assert heard.endswith("\r\x1b[K\r")


@pytest.mark.usefixtures("at_once")
def test_an_error_ends_the_telling_too(console: Console) -> None:
    with pytest.raises(RuntimeError), working.working(console, "checking everything"):
        raise RuntimeError
    assert "working" not in {one.name for one in threading.enumerate()}


@pytest.mark.usefixtures("at_once")
def test_the_commands_that_take_long_say_what_they_do(run: Any, tmp_path: Path) -> None:
    assert "正在收录文件…" in run("sample", "load", "--lang", "zh").err
    anchored = run("anchor").err
    assert "sealing what waits…" in anchored
    assert "waiting until the anchor is final…" in anchored
    trust = str(tmp_path / "trust.json")
    assert "asking the chain…" in run("trust", "add", "-o", trust, "--json").err
    pallet = "https://id.gs1.org/00/395200010000000028"
    assert "gathering records" in run("bundle", "--lot", pallet, "-o", str(tmp_path / "bundle.json")).err
    checked = run("fsck", "--json")
    assert "checking everything…" in checked.err
    assert checked.json["ok"]
    kept = str(tmp_path / "backup")
    assert "copying chain and database…" in run("backup", kept, "--with-keys").err
    put = run("--data-dir", str(tmp_path / "elsewhere"), "restore", kept)
    assert "putting the backup in place…" in put.err
    assert "checking everything…" in put.err

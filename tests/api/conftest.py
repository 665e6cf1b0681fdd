"""A deployment with the sample outbreak in it, and the command line run in this process."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sudonglian.api.commands import sample
from sudonglian.records import intake, vault
from sudonglian.records.deployment import open_deployment
from sudonglian.records.identities import identity
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

STORY = sample.stories()["frozen-fish"]


@dataclass(frozen=True)
class Place:
    """A store with its keys."""

    store: Store
    keys: Keys

    def person(self, phone: str) -> int | None:
        """Return the number of whoever has a phone."""
        with self.store.read() as connection:
            return vault.find(connection, self.keys, identity("phone", phone, ""))


def captured(folder: Path, keep: Callable[[dict[str, Any]], bool] = lambda event: True) -> Place:
    """Return a new store with the events of the sample outbreak that `keep` keeps, not sealed."""
    folder.mkdir(exist_ok=True)
    keys = Keys.open(folder / "keys", create=True)
    store = Store(f"sqlite:///{folder / 'sudonglian.db'}")
    open_deployment(store, keys)
    for raw in sample.documents("frozen-fish").values():
        document = json.loads(raw)
        document["epcisBody"]["eventList"] = [one for one in document["epcisBody"]["eventList"] if keep(one)]
        with store.write() as connection:
            told = json.dumps(document).encode()
            taken = intake.capture(connection, keys, told, submitter=document["sender"], now=datetime.now(UTC))
        assert not taken.refused
    return Place(store, keys)


@pytest.fixture
def outbreak(tmp_path: Path) -> Iterator[Place]:
    """The sample outbreak, captured and not sealed."""
    place = captured(tmp_path)
    yield place
    place.store.close()


@pytest.fixture
def outbreak_without(tmp_path: Path) -> Iterator[Callable[..., Place]]:
    """The sample outbreak without the handoffs of a business step, at one place if it is named."""
    opened: list[Place] = []

    def without(step: str, place: str | None = None) -> Place:
        def keep(event: dict[str, Any]) -> bool:
            return event["bizStep"] != step or place not in (None, event["readPoint"]["id"])

        opened.append(captured(tmp_path / f"without-{len(opened)}", keep))
        return opened[-1]

    yield without
    for one in opened:
        one.store.close()


@dataclass(frozen=True)
class Done:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on standard output."""
        return json.loads(self.out)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run `sudonglian` in this process, on a data folder of the test's own."""
    for name in [name for name in os.environ if name.startswith(("SUDONGLIAN_", "LC_", "LANG"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("SUDONGLIAN_DATA", str(tmp_path / "data"))

    def command(*arguments: str) -> Done:
        from sudonglian.api import cli

        capfd.readouterr()
        code = cli.main(list(arguments))
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return Done(code, out, err)

    return command


def spawn(*arguments: str, env: dict[str, str]) -> "subprocess.Popen[str]":
    """Start the real program."""
    program = Path(sys.executable).with_name("sudonglian")
    return subprocess.Popen(
        [program, *arguments],
        env={**os.environ, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

"""Kill -9 after every statement of a capture, before and after its commit, before, in and after its answer.

Whichever it is: before the commit nothing is there, from it on everything, and the retry gets the one answer.
"""

import itertools
import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPException
from threading import Event
from typing import Final

import pytest
from tests.api.http.conftest import FIRM, Answer, document, event
from tests.api.kill import points
from tests.api.kill.clients import Client, Journal
from tests.api.kill.firms import Asked, Firm
from tests.api.kill.memory import memory, nothing_is_half, nothing_is_lost
from tests.api.kill.servers import Besieged

from sudonglian.records import intake, log, sequencer
from sudonglian.records.fsck import fsck

SHAPE: Final = 23
"""The seed of every request here, so that all of a door's come to the same points: a document with people and places."""

LATE: Final = (points.COMMITTED, points.ANSWERING, points.BETWEEN, points.ANSWERED)

DOORS: Final = ("event", "sheet", "proceeding", "refused", "again", "conflicting")


class Shaped(Firm):
    """A firm whose requests of one name differ in their names and numbers alone."""

    def ask(self, name: str) -> Asked:
        self.chance = random.Random(SHAPE)
        self.asked.append(getattr(self, f"_{name}")(len(self.asked)))
        return self.asked[-1]


def is_telling(point: str) -> bool:
    """Return whether a point is in every run: one between the first and the last row, and those around the commit."""
    return point in (points.COMMITTING, points.COMMITTED, points.ANSWERING) or "INSERT INTO jobs" in point


@contextmanager
def serving(place: Besieged, at: points.Hook) -> Iterator[int]:
    place.store.engine.dispose()
    child = points.forked(place.env, place.data / "server.log", at, points.serve(place.port))
    try:
        yield child
    finally:
        place.store.engine.dispose()


def once(client: Client, asked: Asked) -> Answer | None:
    """Send until somebody listens, and only once after that; return the answer, if there is one."""
    while True:
        before = client.interrupted
        try:
            return client._send(asked, asked.body)
        except (OSError, HTTPException):
            client._hang_up()
            if client.interrupted > before:
                return None
            Event().wait(0.01)


@pytest.mark.parametrize("door", ["document", *(pytest.param(one, marks=pytest.mark.full) for one in DOORS)])
def test_killed_at_every_point_of_a_capture(request: pytest.FixtureRequest, place: Besieged, door: str) -> None:
    firm = Shaped(0, SHAPE)
    client = Client(firm, place.tokens["firm"], place.port, Journal(place.data / "journal-0"), Event())
    place.clients.append(client)
    path = place.data / "points"
    with serving(place, points.notes(path)) as child:
        for asked in (firm.ask("document"), firm.ask(door)):
            client._note(asked, client.insist(asked))
        os.kill(child, signal.SIGKILL)
        assert points.was_killed(child)
    passed = points.noted(path, firm.asked[-1].key)
    assert {points.COMMITTING, *LATE} < set(passed)
    assert any("INSERT INTO jobs" in one for one in passed)
    chosen = passed if request.config.getoption("--full") else [one for one in passed if is_telling(one)]
    for point in chosen:
        before, victim = firm.asked[-1], firm.ask(door)
        with serving(place, points.dies_at(victim.key, point)) as child:
            client._hang_up()
            client._note(before, client.insist(before))
            answer = once(client, victim)
            assert points.was_killed(child), f"nobody died at {point}"
        if answer is not None:
            assert point == points.ANSWERED
            client._note(victim, answer)
        held = memory(place.store)
        there = nothing_is_half(held, firm.asked)
        assert (victim in there) == (point in LATE), point
        nothing_is_lost(held, place.clients)
    with serving(place, points.dies_at(firm.asked[-1].key, points.ANSWERED)) as child:
        client._hang_up()
        once(client, firm.asked[-1])
        assert points.was_killed(child)
    held = memory(place.store)
    assert nothing_is_half(held, firm.asked) == firm.asked
    report = fsck(place.store, place.keys)
    assert report["ok"], report["faults"]
    print(f"{door}: killed at {', '.join(chosen)}")


def captured(place: Besieged, number: int) -> int:
    """Capture two events without a server; return the size of the log."""
    with place.store.write() as connection:
        raw = document(event(number), event(number + 1))
        taken = intake.capture(connection, place.keys, raw, submitter=FIRM, now=datetime.now(UTC))
        assert taken.accepted == 2
        return log.size(connection)


@pytest.mark.parametrize(
    "place", ["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.full])], indirect=True
)
def test_killed_at_every_point_of_a_seal(place: Besieged) -> None:
    def seal() -> None:
        with place.store.read() as connection:
            drafted = sequencer.draft(connection)
        with place.store.write() as connection:
            sequencer.seal(connection, place.keys, datetime.now(UTC), drafted)

    def killed(at: points.Hook) -> bool:
        place.store.engine.dispose()
        return points.was_killed(points.forked(place.env, place.data / "server.log", at, seal))

    for number in itertools.count():
        size = captured(place, number * 2)
        # How many statements a seal takes depends on the log: one after the other, until one lives on.
        point = [points.COMMITTED, points.COMMITTING, f"{number - 1}:"][min(number, 2)]
        is_over = not killed(points.dies_at("", point))
        held = memory(place.store)
        assert len(held.log) == (size + 3 if point == points.COMMITTED or is_over else size)
        report = fsck(place.store, place.keys)
        assert report["ok"], report["faults"]
        seal()
        held = memory(place.store)
        assert len(held.log) - len(held.checkpoints) == len(held.indexes) == 2 * (number + 1)
        assert not held.waiting
        if is_over:
            break
    assert number > len(STEPS), point


STEPS: Final = ("pending", "records", "lots", "entries", "nodes", "checkpoints")
"""What a seal touches at least."""

"""Kill -9 under load: what was acknowledged is there, once and whole; what was refused is not; a retry is the first answer.

Real servers, sockets and databases; clients that keep a journal of what was acknowledged to them. `scripts/test` kills
a dozen times and more, `scripts/test --full tests/api/kill` more than two hundred times; `--seed N` draws the same
requests and moments again.
"""

import json
import random
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import pytest
from tests.api.kill.clients import Client
from tests.api.kill.firms import CAPTURE
from tests.api.kill.memory import memory, nothing_is_half, nothing_is_lost
from tests.api.kill.servers import Besieged, moments

from sudonglian.records.fsck import fsck

SEED: Final = 20_240_610
REPLAYED: Final = 400
"""Of the answers that are asked for again in the end; all are compared with the memory."""

QUICK: Final = 5
"""Kills on each database, always."""

ROUNDS, KILLS = 4, 26
"""On each database in the full profile: each round with a seed of its own and so many kills."""

CRASH_EVERY: Final = 4
"""Before each so-manieth kill of the server, PostgreSQL is killed too."""


def siege(place: Besieged, seed: int, kills: int) -> None:
    """Kill the server under load so often, look at what is left behind now and then, and at everything in the end."""
    print(f"seed {seed}: {kills} kills of a server on {place.store.url.get_backend_name()}")
    chance = random.Random(seed)
    crashes = Counter[str]()
    place.start()
    place.send(seed)
    for number, (what, wait_s) in enumerate(moments(chance, kills)):
        if what != "starting":
            place.is_answering()
        if what == "sealing":
            place.is_sealing()
        time.sleep(wait_s)
        if number % CRASH_EVERY == CRASH_EVERY - 1 and place.cluster is not None and what != "starting":
            crashes[crash(place, chance)] += 1
        place.kill(alone=chance.random() < 0.3)
        # The answer after a crash may have been on its way before it: recovery may be going on.
        place.await_database()
        if chance.random() < 0.5:
            held = memory(place.store)
            nothing_is_half(held, begun(place.clients))
            nothing_is_lost(held, place.clients)
        if chance.random() < 0.2:
            report = fsck(place.store, place.keys)
            assert report["ok"], report["faults"]
        place.store.engine.dispose()
        place.start()
    place.is_answering()
    place.join()
    everything_is_well(place)
    interrupted = sum(one.interrupted for one in place.clients)
    assert interrupted, "nobody was cut off"
    print(f"killed {kills} times, database {dict(crashes)}; requests cut off {interrupted}")


def crash(place: Besieged, chance: random.Random) -> str:
    """Let the database die while the server lives; it must find back by itself."""
    how = chance.choice(["every process", "one connection", "immediate shutdown"])
    if how == "one connection":
        place.cluster.kill_a_backend(place.store.url.database)
    else:
        place.cluster.kill() if how == "every process" else place.cluster.quit()
    place.cluster.start()
    place.is_answering()
    return how


def everything_is_well(place: Besieged) -> None:
    """Check all that clients know, in the database and over HTTP, and the database against itself and the chain."""
    held = memory(place.store)
    there = nothing_is_half(held, begun(place.clients))
    due = {one.key for client in place.clients for one in client.firm.asked if one.leaves_a_job}
    assert {one.key for one in there} == due
    events = nothing_is_lost(held, place.clients)
    the_first_answers_stay(place)
    the_events_read_back(place)
    status = place.asking.wait_for("/status", lambda told: not told["lag"] and not told["pending"])
    assert status["anchors"][0]["state"] == "FINAL"
    place.stop()
    after = memory(place.store)
    assert nothing_is_half(after, begun(place.clients)) == there
    assert not after.waiting
    checked = place.command("fsck", "--json")
    assert checked.returncode == 0, checked.stdout
    assert json.loads(checked.stdout)["faults"] == []
    print(f"{len(there)} requests in the memory, {events} events acknowledged, {len(after.checkpoints)} seals")


def begun(clients: list[Client]) -> Iterator[Any]:
    """Yield every request whose intention is in a journal."""
    for one in clients:
        yield from one.firm.asked[: one.journal.intended()]


def the_first_answers_stay(place: Besieged) -> None:
    """Send acknowledged requests again under their keys, and read their jobs."""
    answers = [(one, *line) for one in place.clients for line in one.journal.acknowledged()]
    for client, number, first in random.Random(0).sample(answers, min(REPLAYED, len(answers))):
        asked = client.firm.asked[number]
        again = client.insist(asked)
        assert again.status == first.status
        if not asked.leaves_a_job:
            continue
        assert (again.body, again.headers["location"]) == (first.body, first.headers["location"]), asked.key
        assert again.headers["idempotency-replayed"] == "true"
        if asked.path == CAPTURE:
            job = place.asking.ask(
                "GET", first.headers["location"], token="firm" if client.firm.number % 2 == 0 else "other"
            )
            assert job.body == first.body


def the_events_read_back(place: Besieged) -> None:
    """Read all events of both firms, and compare them with what was sent."""
    found: dict[str, dict[str, Any]] = {}
    for token in ("firm", "other"):
        path: str | None = "/epcis/v2/events?perPage=1000"
        while path:
            answer = place.asking.ask("GET", path, token=token)
            for one in answer.json["epcisBody"]["queryResults"]["resultsBody"]["eventList"]:
                assert one["eventID"] not in found, "an event is there twice"
                found[one["eventID"]] = one
            link = answer.headers.get("link")
            path = link.split(">")[0].removeprefix("<") if link else None
    sent = {one["eventID"]: one for client in place.clients for asked in client.firm.asked for one in asked.events}
    for name, one in sent.items():
        whole = {member: value for member, value in one.items() if member != "sdl:participants"}
        assert {member: found[name].get(member) for member in whole} == whole


def test_killed_under_load(place: Besieged) -> None:
    siege(place, SEED, QUICK)


@pytest.mark.full
@pytest.mark.parametrize("attempt", range(ROUNDS))
def test_killed_under_load_again(request: pytest.FixtureRequest, place: Besieged, attempt: int) -> None:
    seed = request.config.getoption("--seed")
    siege(place, secrets.randbelow(10**9) if seed is None else seed, KILLS)

"""What a trace costs from the question to the answer: at its first run, its second and after the store has grown.

docs/decisions/0352 and 0353 have the numbers. The store is made as firms make it: captured, sealed, then traced.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sudonglian.records import intake, sequencer
from sudonglian.records.deployment import open_deployment
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store
from sudonglian.trace.casework.run import run_trace
from sudonglian.trace.engine.progress import Stage
from sudonglian.trace.engine.query import TraceQuery

Event = dict[str, Any]

FIRM = "https://id.gs1.org/417/6901234000009"
PORT, STORE, MARKETS = "urn:epc:id:sgln:6901234.00001.0", "urn:epc:id:sgln:6901234.00002.0", 50
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
PALLETS = 20
"""In a container."""
PEOPLE = 300
DOCUMENT = 500
"""Events captured at once."""
LIMIT = 2.0
"""Processor seconds for 20,000 events (125,000 stays) that a process asked before may take for a whole trace, nearly all
of which is exposed; a busy machine takes 1.1 to 1.4."""
LIMIT_AT = 20_000


def person(number: int) -> Event:
    """Return a participant; the numbers are of no one."""
    told = {"kind": "phone", "value": f"199000{number:05d}", "name": "某人"}
    return {"personRef": told, "role": "loader", "contact": "opened" if number % 3 else "outer-packaging"}


def sscc(number: int) -> str:
    """Return a logistic unit."""
    return f"urn:epc:id:sscc:6901234.0{number:09d}"


def journey(number: int, dice: random.Random) -> Iterator[Event]:
    """Yield the events of one container and its pallets, from the port to the markets."""
    when = BEGIN + timedelta(minutes=37 * number)
    container = sscc(900_000_000 + number)
    pallets = [sscc(number * PALLETS + one) for one in range(PALLETS)]
    lot = {"epcClass": f"urn:epc:class:lgtin:6901234.000001.L{number}", "quantity": 100, "uom": "KGM"}

    def event(after: int, step: str, kind: str = "ObjectEvent", **members: Any) -> Event:
        time = when + timedelta(minutes=after)
        action = members.pop("action", "OBSERVE")
        people = [person(dice.randrange(PEOPLE)) for _ in range(dice.choice((1, 1, 2)))]
        return {
            "type": kind,
            "action": action,
            "bizStep": step,
            "eventTime": time.isoformat(),
            "eventTimeZoneOffset": "+00:00",
            "eventID": f"urn:x:{number}:{after}:{step}",
            "sdl:participants": people,
            **members,
        }

    port, store = {"id": PORT}, {"id": STORE}
    yield event(0, "receiving", epcList=[container], readPoint=port, bizLocation=port)
    yield event(
        30, "unpacking", "AggregationEvent", action="DELETE", parentID=container, childEPCs=pallets, readPoint=port
    )
    yield event(40, "receiving", quantityList=[lot], readPoint=store, bizLocation=store)
    for at, pallet in enumerate(pallets):
        market = {"id": f"urn:epc:id:sgln:6901234.{100 + dice.randrange(MARKETS):05d}.0"}
        yield event(60 + at, "storing", epcList=[pallet], readPoint=store, bizLocation=store)
        if at == 0:
            test = {"result": "positive", "time": (when + timedelta(minutes=90)).isoformat()}
            tested: Event = {"sdl:labTest": test}
            yield event(90, "inspecting", epcList=[pallet], readPoint=store, **tested)
        yield event(600 + 30 * at, "shipping", epcList=[pallet], readPoint=store)
        yield event(700 + 30 * at, "receiving", epcList=[pallet], readPoint=market, bizLocation=market)
        yield event(2000 + 30 * at, "retail_selling", epcList=[pallet], readPoint=market)


def events(count: int) -> list[Event]:
    """Return so many events in the order of what happened, which is about the order in which firms tell it."""
    dice, number = random.Random(1), 0
    found: list[Event] = []
    while len(found) < count + PALLETS * 100:
        found += journey(number, dice)
        number += 1
    return sorted(found, key=lambda one: one["eventTime"])[:count]


def capture(store: Store, keys: Keys, told: list[Event]) -> None:
    """Take the events as one firm's."""
    for start in range(0, len(told), DOCUMENT):
        whole = {
            "@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld", {"sdl": "urn:sudonglian:ns:1:"}],
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": "2026-01-05T01:00:00Z",
            "epcisBody": {"eventList": told[start : start + DOCUMENT]},
        }
        now = datetime.now(UTC)
        with store.write() as connection:
            taken = intake.capture(connection, keys, json.dumps(whole).encode(), submitter=FIRM, now=now)
            assert not taken.refused, taken.refused[0]
            sequencer.seal(connection, keys, now)


def opened(folder: Path) -> tuple[Store, Keys]:
    """Return the deployment in a folder, made if there is none."""
    keys = Keys.open(folder / "keys", create=True)
    store = Store(f"sqlite:///{folder / 'sudonglian.db'}")
    open_deployment(store, keys)
    return store, keys


def traced(store: Store, keys: Keys, name: str) -> float:
    """Print what one trace costs, in processor seconds; return it."""
    spent: dict[str, float] = {}
    began = last = time.process_time()
    stage = ""

    def heard(told: Stage) -> None:
        nonlocal last, stage
        now = time.process_time()
        spent[stage] = spent.get(stage, 0) + now - last
        last, stage = now, told.name

    query = TraceQuery(sscc(PALLETS), BEGIN + timedelta(hours=3))
    done = run_trace(store, keys, query, purpose="bench", report=heard)
    whole = time.process_time() - began
    rest = whole - spent.get("records", 0) - spent.get("facts", 0)
    print(
        f"{name:<46} {spent['records']:>8.2f} {spent['facts']:>8.2f} {rest:>8.2f} {whole:>8.2f}   {len(done.result.members)} members",
        flush=True,
    )
    return whole


def again(folder: str, name: str) -> None:
    """Trace once, in a process that remembers nothing."""
    store, keys = opened(Path(folder))
    traced(store, keys, name)


def facts(count: int, more: int) -> bool:
    """Print what traces cost over a store of `count` events, and after `more` others; say whether the limit holds."""
    with tempfile.TemporaryDirectory() as folder:
        store, keys = opened(Path(folder))
        told = events(count + 2 * more)
        began = time.process_time()
        capture(store, keys, told[:count])
        print(f"{count} events taken in {time.process_time() - began:.1f} s; processor seconds of a trace:")
        print(f"{'':<46} {'records':>8} {'facts':>8} {'rest':>8} {'all':>8}", flush=True)

        def command(name: str) -> None:
            subprocess.run([sys.executable, sys.argv[0], "again", "--folder", folder, "--name", name], check=True)

        traced(store, keys, "the first of all")
        whole, limit = traced(store, keys, "the same process again"), LIMIT * count / LIMIT_AT
        print(f"{'':<46} whole trace {whole:.2f} s, limit {limit:.2f} s: {'held' if whole < limit else 'MISSED'}")
        capture(store, keys, told[count : count + more])
        traced(store, keys, f"the same process, {more} events later")
        command("a new process")
        capture(store, keys, told[count + more :])
        command(f"a new process, {more} events later")
        return whole < limit

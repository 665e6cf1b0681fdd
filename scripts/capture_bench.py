"""Measure capture: the schema's verdicts beside the jsonschema package's, and durable capture over HTTP.

    scripts/bench capture [schema] [sqlite] [postgresql] [stages] [--seconds N] [--quick] [--json]

schema      verdicts on the same events in the same run, ours and the jsonschema package's; they must be equal, and ours
            100 times as fast. Seconds are the processor's.
sqlite,     a server (`sudonglian serve`, worker and all, in a data folder of its own) and a client with an API key, each a
postgresql  process; documents of 100 events, one after another on each of four connections, for 30 seconds. 1,000 events a
            second must be acknowledged, on two cores if the machine has more. What was acknowledged is looked for
            afterwards, and the store is checked by `sudonglian fsck`. What the processor spent is told beside.
stages      where the time goes: captures through the whole server in one process, each stage by itself.

Without a word: schema, sqlite and postgresql. --quick takes 8 seconds for 30; --json prints one document.
Exit code 1 if a limit is missed or anything is not as it was acknowledged, 2 if PostgreSQL is wanted and not installed.
"""

import argparse
import contextlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import capture_client  # type: ignore[import-not-found]
import capture_stages  # type: ignore[import-not-found]
import orjson
from capture_client import DOCUMENT
from capture_events import MIX, PEOPLE_IN, SENSORS_IN, Day  # type: ignore[import-not-found]
from capture_servers import NoPostgres, command, cpu_of, postgres, served  # type: ignore[import-not-found]

SECONDS, QUICK_SECONDS = 30, 8

CORES: Final = 2
"""What client, server and database share: processes are bound to so many if the machine has more."""

PARTS: Final = ("schema", "sqlite", "postgresql")

LIMIT_EVENTS_S: Final = 1_000
LIMIT_RATIO: Final = 100

SLICES, SLICE_S = 9, 0.3
"""Turns of the schema's peers, and how long each lasts."""

Told = dict[str, Any]


# The schema, ours and the package's.


def wrong(event: Told) -> Iterator[Told]:
    """Yield the event with one mistake, in several ways."""
    for change in (
        {"eventTime": "2026-02-30T08:30:00Z"},
        {"eventTime": "2026-01-05"},
        {"eventTimeZoneOffset": "+0800"},
        {"eventID": "urn:uuid:a b"},
        {"bizStep": "shiping"},
        {"disposition": 5},
        {"readPoint": {"id": "Shanghai"}},
        {"sensorElementList": [{"sensorReport": [{"type": "Temp", "value": -18}]}]},
    ):
        yield {**event, **change}
    yield {name: value for name, value in event.items() if name != "eventTime"}


def schema(events: int) -> Told:
    """Judge the same events by both; return how fast each is and whether they agree."""
    import jsonschema  # type: ignore[import-untyped]

    from sudonglian.chain import canonical
    from sudonglian.records.epcis import schema as ours

    now = datetime.now(UTC)
    good: Any = canonical.parse(orjson.dumps([Day(2, now).event() for _ in range(events)]), max_bytes=1 << 30)
    bad = [one for event in good[: events // 10] for one in wrong(event)]
    whole = ours.document()
    theirs = {}
    for kind in ours.EVENT_TYPES:
        rules = {"$schema": whole["$schema"], "$ref": f"#/$defs/{kind}", "$defs": whole["$defs"]}
        checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
        theirs[kind] = jsonschema.Draft202012Validator(rules, format_checker=checker)
    terms = frozenset({"sdl"})
    both = [*good, *bad]
    differing = sum(ours.is_valid(one) != theirs[one["type"]].is_valid(one) for one in both)
    differing += sum(bool(ours.check_schema(one, terms)) == ours.is_valid(one) for one in both)

    def rate(judged: Callable[[Told], object]) -> float:
        began, done, took = time.process_time(), 0, 0.0
        while took <= SLICE_S:
            for one in good:
                judged(one)
            done += len(good)
            took = time.process_time() - began
        return done / took

    # In turns, and each at its best: what else the machine does then falls on both alike.
    ways = (lambda one: theirs[one["type"]].is_valid(one), ours.is_valid, lambda one: ours.check_schema(one, terms))
    turns = [[rate(way) for way in ways] for _ in range(SLICES)]
    package, own, told = (max(turn[at] for turn in turns) for at in range(3))
    return {
        "ours_events_s": round(own),
        "with_findings_events_s": round(told),
        "jsonschema_events_s": round(package),
        "ratio": round(own / package),
        "with_findings_ratio": round(told / package),
        "judged": len(good) + len(bad),
        "wrong": len(bad),
        "differing": differing,
        "ok": not differing and own >= LIMIT_RATIO * package,
    }


def capture(kind: str, seconds: int) -> Told:
    """Capture over HTTP into one kind of database, and look for all that was acknowledged."""
    folder = Path(tempfile.mkdtemp(prefix="sudonglian-bench-"))
    try:
        with contextlib.ExitStack() as stack:
            environment = {name: value for name, value in os.environ.items() if not name.startswith("SUDONGLIAN_")}
            environment["SUDONGLIAN_DATA"] = str(folder / "data")
            database = 0
            if kind == "postgresql":
                url, database = stack.enter_context(postgres(folder))
                environment["SUDONGLIAN_DATABASE_URL"] = url
            firm = Day(0, datetime.now(UTC)).firm
            made = ["keys", "api", "create", "--name", "bench", "--scope", "capture", "--submitter", firm]
            token = command(environment, *made)["token"]
            with served(environment, folder / "server.log") as (url, server):
                run = _loaded(url, token, seconds, server, database)
                # What is sustained is sealed as fast as it comes: this is what the worker was behind by.
                waiting = int(command(environment, "status")["pending"])
            hashes = run.pop("hashes")
            command(environment, "worker", "--once")
            told = {"database": kind, **run, "waiting_at_the_end": waiting, **_verified(environment, hashes)}
            lost = told["acknowledged"] - told["in_the_log"]
            return {**told, "ok": not lost and told["fsck"] and told["events_s"] >= LIMIT_EVENTS_S}
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _loaded(url: str, token: str, seconds: int, server: int, database: int) -> Told:
    most = max(40, seconds * 3 * LIMIT_EVENTS_S // DOCUMENT)
    arguments = [sys.executable, str(Path(capture_client.__file__)), url, token, str(seconds), str(most), "1"]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise RuntimeError("the client ended before it began")
        before = *cpu_of(server), sum(cpu_of(database)) if database else 0.0
        process.stdin.write("\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        after = *cpu_of(server), sum(cpu_of(database)) if database else 0.0
    events, latencies = answer["events"], sorted(answer.pop("latencies"))
    spent = {name: after[at] - before[at] for at, name in enumerate(("server", "worker", "database"))}
    spent["client"] = answer["client_cpu_s"]
    each = {name: round(1_000 * one / events, 3) for name, one in spent.items()}
    return {
        "seconds": round(answer["seconds"], 1),
        "events": events,
        "events_s": round(events / answer["seconds"]),
        "p50_ms": round(1_000 * statistics.median(latencies)),
        "p95_ms": round(1_000 * latencies[len(latencies) * 95 // 100]),
        "cpu_ms_per_event": {**each, "all": round(sum(each.values()), 3)},
        "hashes": answer["hashes"],
    }


def _verified(environment: dict[str, str], hashes: list[str]) -> Told:
    from sqlalchemy import func, select

    from sudonglian.records.store import Store, in_batches
    from sudonglian.records.tables import RECORDS

    url = environment.get("SUDONGLIAN_DATABASE_URL") or f"sqlite:///{environment['SUDONGLIAN_DATA']}/sudonglian.db"
    store = Store(url)
    present = 0
    with store.read() as connection:
        for batch in in_batches([bytes.fromhex(one) for one in hashes]):
            logged = select(func.count()).where(RECORDS.c.record_hash.in_(batch), RECORDS.c.log_index.is_not(None))
            present += connection.execute(logged).scalar_one()
    store.close()
    return {"acknowledged": len(hashes), "in_the_log": present, "fsck": command(environment, "fsck")["ok"]}


def machine() -> str:
    """Return what this runs on."""
    return f"{len(os.sched_getaffinity(0))} cores, {platform.machine()}, Python {platform.python_version()}"


def shown(what: str, told: Told) -> str:
    """Return what a part found, in a few lines."""
    if what == "schema":
        return (
            f"schema: ours {told['ours_events_s']:,} events/s, jsonschema {told['jsonschema_events_s']:,}: "
            f"{told['ratio']} times as fast (limit {LIMIT_RATIO}; as capture asks, for findings, {told['with_findings_ratio']}); verdicts on {told['judged']:,} events, "
            f"{told['wrong']} of them wrong: {'equal' if not told['differing'] else 'DIFFERENT'}"
        )
    if what == "stages":
        return str(capture_stages.table(told))
    spent = told["cpu_ms_per_event"]
    return (
        f"{what}: {told['events_s']:,} events/s acknowledged over {told['seconds']} s (limit {LIMIT_EVENTS_S:,}); a "
        f"document of {DOCUMENT} took {told['p50_ms']} ms (p50), {told['p95_ms']} ms (p95)\n"
        f"  processor, ms an event: server {spent['server']}, worker {spent['worker']}, database {spent['database']}, "
        f"client {spent['client']}, all {spent['all']}\n"
        f"  in the log afterwards: {told['in_the_log']:,} of {told['acknowledged']:,} acknowledged "
        f"({told['waiting_at_the_end']:,} waited to be sealed at the end); fsck "
        f"{'finds nothing wrong' if told['fsck'] else 'FINDS FAULTS'}"
    )


def main(arguments: list[str]) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench capture", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", choices=[*PARTS, "stages", []], metavar="part")
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    seconds = asked.seconds or (QUICK_SECONDS if asked.quick else SECONDS)
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    found: Told = {"machine": machine()}
    if not asked.json:
        people = f"{PEOPLE_IN}% of the events name people, {SENSORS_IN}% of the looks at goods bring sensors"
        print(
            f"{found['machine']}; {', '.join(f'{share}% {kind}' for kind, share in MIX.items())}; {people}", flush=True
        )
    try:
        for what in asked.parts or PARTS:
            if what == "schema":
                found[what] = schema(100 if asked.quick else 400)
            elif what == "stages":
                found[what] = stages(5 if asked.quick else 20)
            else:
                found[what] = capture(what, seconds)
            if not asked.json:
                print(shown(what, found[what]), flush=True)
    except NoPostgres as error:
        print(error, file=sys.stderr)
        return 2
    if asked.json:
        print(json.dumps(found))
    return 0 if all(one["ok"] for one in found.values() if isinstance(one, dict)) else 1


def stages(documents: int) -> Told:
    """Return where the time goes on each database."""
    found: Told = {"ok": True}
    for kind in ("sqlite", "postgresql"):
        folder = Path(tempfile.mkdtemp(prefix="sudonglian-bench-"))
        try:
            with contextlib.ExitStack() as stack:
                url = stack.enter_context(postgres(folder))[0] if kind == "postgresql" else ""
                # A process of its own: what it measures is changed for it.
                line = [sys.executable, str(Path(capture_stages.__file__)), str(folder / "data"), str(documents), url]
                done = subprocess.run(line, capture_output=True, text=True, check=True)
                found[kind] = json.loads(done.stdout.splitlines()[-1])
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

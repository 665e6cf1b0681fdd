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
import http.client
import json
import os
import platform
import pwd
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import capture_stages  # type: ignore[import-not-found]
import orjson
from capture_events import MIX, PEOPLE_IN, SENSORS_IN, Day  # type: ignore[import-not-found]

ROOT: Final = Path(__file__).resolve().parents[1]
PROGRAM: Final = ROOT / ".venv" / "bin" / "sudonglian"

DOCUMENT: Final = 100
"""Events in a document."""

CONNECTIONS: Final = 4
"""Of the client: each sends a document when the one before is acknowledged."""

WARM_UP: Final = 5
"""Documents before the clock starts: a server that has just started still imports and compiles."""

SECONDS, QUICK_SECONDS = 30, 8

CORES: Final = 2
"""What client, server and database share: processes are bound to so many if the machine has more."""

PARTS: Final = ("schema", "sqlite", "postgresql")

LIMIT_EVENTS_S: Final = 1_000
LIMIT_RATIO: Final = 100

SLICES, SLICE_S = 9, 0.3
"""Turns of the schema's peers, and how long each lasts."""

STARTS_WITHIN_S: Final = 60
TICKS: Final = os.sysconf("SC_CLK_TCK")

Told = dict[str, Any]


class NoPostgres(Exception):
    """PostgreSQL's programs are not installed."""


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


# The client: a process of its own, so that its work is not the server's.


def client(url: str, token: str, seconds: int, seed: int) -> None:
    """Send documents for so long; print what was acknowledged, as JSON."""
    host = url.removeprefix("http://")
    day = Day(seed, datetime.now(UTC))
    most = max(40, seconds * 3 * LIMIT_EVENTS_S // DOCUMENT)
    bodies = [day.body(DOCUMENT) for _ in range(most + WARM_UP)]
    spent = [resource.getrusage(resource.RUSAGE_SELF)]
    latencies: list[float] = []
    hashes: list[str] = []
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def send(connection: http.client.HTTPConnection, body: bytes) -> list[str]:
        connection.request("POST", "/epcis/v2/capture", body, headers)
        answer = connection.getresponse()
        raw = answer.read()
        if answer.status != 202:
            raise RuntimeError(f"the server answered {answer.status}: {raw[:500]!r}")
        job = json.loads(raw)
        if job["accepted"] != DOCUMENT:
            raise RuntimeError(f"{job['accepted']} of {DOCUMENT} events were accepted: {job['errors'][:3]}")
        return [one["record_hash"] for one in job["records"]]

    with contextlib.closing(http.client.HTTPConnection(host)) as connection:
        for _ in range(WARM_UP):
            hashes += send(connection, bodies.pop())
    warm = len(hashes)
    print("ready", flush=True)
    sys.stdin.readline()
    spent[0] = resource.getrusage(resource.RUSAGE_SELF)
    began = time.monotonic()

    def connected(_: int) -> None:
        with contextlib.closing(http.client.HTTPConnection(host)) as connection:
            while bodies and time.monotonic() - began < seconds:
                sent = time.monotonic()
                found = send(connection, bodies.pop())
                latencies.append(time.monotonic() - sent)
                hashes.extend(found)

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(connected, range(CONNECTIONS)))
    took = time.monotonic() - began
    spent.append(resource.getrusage(resource.RUSAGE_SELF))
    cpu = sum(getattr(spent[1], name) - getattr(spent[0], name) for name in ("ru_utime", "ru_stime"))
    told = {"seconds": took, "events": len(hashes) - warm, "client_cpu_s": cpu, "latencies": latencies}
    print(json.dumps({**told, "hashes": hashes}), flush=True)


# The server, its database, and what the kernel says that they spent.


def cpu_of(pid: int) -> tuple[float, float]:
    """Return the processor seconds of a process, and those of all that it started, the ended ones included."""
    spent: list[float] = []
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                children.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
    pending = [pid]
    for one in pending:  # which grows meanwhile
        with contextlib.suppress(OSError):
            user, system, *ended = map(int, _stat(one)[11:15])
            spent += [(user + system) / TICKS, sum(ended) / TICKS]
        pending += children.get(one, [])
    return spent[0], sum(spent[1:])


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[tuple[str, int]]:
    """Give the URL of a PostgreSQL of this run's own and its process; durable, as it is installed."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not programs:
        raise NoPostgres("no PostgreSQL under /usr/lib/postgresql: apt-get install postgresql")
    who: dict[str, Any] = {}
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        account = pwd.getpwnam("postgres")
        folder.chmod(0o711)
        who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    home = folder / "postgresql"
    home.mkdir(mode=0o700)
    if who:
        os.chown(home, who["user"], who["group"])
    options: dict[str, Any] = {"cwd": home, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **who}
    data = home / "data"
    initdb = [f"{programs[-1]}/initdb", "-D", str(data), "-U", "sudonglian", "-A", "trust", "-E", "UTF8", "--locale=C"]
    subprocess.run(initdb, check=True, **options)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # Nothing of durability is turned off; `fsync` and `synchronous_commit` are on unless somebody says otherwise.
    settings = ["listen_addresses=127.0.0.1", f"port={port}", "unix_socket_directories="]
    command = [f"{programs[-1]}/postgres", "-D", str(data), *(part for one in settings for part in ("-c", one))]
    server = subprocess.Popen(command, **options)
    try:
        import psycopg

        where = f"host=127.0.0.1 port={port} user=sudonglian dbname=postgres"
        until = time.monotonic() + STARTS_WITHIN_S
        while True:
            try:
                with psycopg.connect(where, autocommit=True) as connection:
                    connection.execute("CREATE DATABASE capture")
                    for name in ("fsync", "synchronous_commit"):
                        assert connection.execute(f"SHOW {name}".encode()).fetchone() == ("on",), name
                break
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)
        yield f"postgresql+psycopg://sudonglian@127.0.0.1:{port}/capture", server.pid
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(STARTS_WITHIN_S)


def command(environment: dict[str, str], *arguments: str) -> Any:
    """Run a command of the program and return its document."""
    done = subprocess.run(
        [str(PROGRAM), "--json", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(
            f"sudonglian {' '.join(arguments)}: {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return json.loads(done.stdout)


@contextlib.contextmanager
def served(environment: dict[str, str], log: Path) -> Iterator[tuple[str, int]]:
    """Give the URL of a server as one starts it, and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("wb") as errors:
        arguments = [str(PROGRAM), "serve", "--port", str(port)]
        server = subprocess.Popen(arguments, env=environment, stdout=errors, stderr=errors)
        try:
            until = time.monotonic() + STARTS_WITHIN_S
            while True:
                try:
                    connection = http.client.HTTPConnection("127.0.0.1", port)
                    connection.request("GET", "/readyz")
                    if connection.getresponse().status == 200:
                        break
                except OSError:
                    pass
                if time.monotonic() > until or server.poll() is not None:
                    raise RuntimeError(f"the server did not start: {log.read_text()[-2000:]}")
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}", server.pid
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(STARTS_WITHIN_S)


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
    arguments = [sys.executable, __file__, "client", url, token, str(seconds), "1"]
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
    if arguments[:1] == ["client"]:
        client(arguments[1], arguments[2], int(arguments[3]), int(arguments[4]))
        return 0
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

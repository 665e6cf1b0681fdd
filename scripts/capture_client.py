"""The client of `scripts/bench capture`: a process of its own, so that its work is not the server's.

It sends documents, and tells as JSON what was acknowledged, how long each took, and what its processor spent.
"""

import contextlib
import http.client
import json
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Final

from capture_events import Day  # type: ignore[import-not-found]

DOCUMENT: Final = 100
"""Events in a document."""

CONNECTIONS: Final = 4
"""Of the client: each sends a document when the one before is acknowledged."""

WARM_UP: Final = 5
"""Documents before the clock starts: a server that has just started still imports and compiles."""


def client(url: str, token: str, seconds: int, most: int, seed: int) -> None:
    """Send documents for so long, and so many at most; print what was acknowledged, as JSON."""
    host = url.removeprefix("http://")
    day = Day(seed, datetime.now(UTC))
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


if __name__ == "__main__":
    client(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))

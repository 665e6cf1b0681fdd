"""Counters, in the text form that Prometheus reads.

Prometheus exposition format 0.0.4. Each process counts for itself; what stands in the store is read from it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, TypeAlias

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

LATENCY_S: Final = (1, 5, 15, 60, 300, 1800, 7200)
"""From what a person waits for to the two hours that Zhejiang's rule gives an answer."""

Labels: TypeAlias = tuple[tuple[str, str], ...]

COUNTERS: Final = {
    "sudonglian_http_requests_total": "Requests by route, method and status.",
    "sudonglian_captured_events_total": "Events captured by outcome: accepted, unchanged or refused.",
    "sudonglian_signatures_total": "Parties' signatures by outcome: accepted or unchanged.",
    "sudonglian_refusals_total": "Refusals by reason: events, documents and requests.",
    "sudonglian_traces_total": "Traces by outcome.",
    "sudonglian_worker_restarts_total": "Workers that began in the place of one that ended and no refusal said why.",
    "sudonglian_reveals_total": "Persons whose identity was shown.",
}


@dataclass
class Metrics:
    """The counters of one process."""

    _counts: dict[tuple[str, Labels], int] = field(default_factory=dict)
    _latency: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_S) + 1))
    _latency_ms: int = 0
    _lock: Lock = field(default_factory=Lock)

    def count(self, name: str, number: int = 1, **labels: str) -> None:
        """Add to a counter of `COUNTERS`."""
        key = name, tuple(sorted(labels.items()))
        with self._lock:
            self._counts[key] = self._counts.get(key, 0) + number

    def traced(self, took_ms: int) -> None:
        """Count a trace by how long it took."""
        place = next((at for at, limit in enumerate(LATENCY_S) if took_ms <= limit * 1000), len(LATENCY_S))
        with self._lock:
            self._latency[place] += 1
            self._latency_ms += took_ms

    def text(self, gauges: Mapping[str, tuple[str, int]]) -> str:
        """Return everything, with gauges as name: (meaning, value)."""
        with self._lock:
            counts, latency, latency_ms = dict(self._counts), list(self._latency), self._latency_ms
        lines: list[str] = []
        for name, meaning in COUNTERS.items():
            lines += _head(name, meaning, "counter")
            rows = sorted((labels, value) for (counted, labels), value in counts.items() if counted == name)
            lines += [f"{name}{_labels(labels)} {value}" for labels, value in rows]
        for name, (meaning, value) in gauges.items():
            lines += [*_head(name, meaning, "gauge"), f"{name} {value}"]
        lines += _histogram("sudonglian_trace_seconds", "How long traces took.", latency, latency_ms)
        return "\n".join(lines) + "\n"


def _head(name: str, meaning: str, kind: str) -> Iterable[str]:
    return f"# HELP {name} {meaning}", f"# TYPE {name} {kind}"


def _histogram(name: str, meaning: str, latency: list[int], latency_ms: int) -> Iterable[str]:
    yield from _head(name, meaning, "histogram")
    total = 0
    for limit, number in zip((*LATENCY_S, "+Inf"), latency, strict=True):
        total += number
        yield f'{name}_bucket{{le="{limit}"}} {total}'
    yield f"{name}_sum {latency_ms // 1000}.{latency_ms % 1000:03}"
    yield f"{name}_count {total}"


def _labels(labels: Labels) -> str:
    told = (f'{name}="{value}"' for name, value in labels)  # values are our own words: slugs, routes, numbers
    return "{" + ",".join(told) + "}" if labels else ""

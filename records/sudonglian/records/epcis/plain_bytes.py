"""The canonical bytes of many plain events: what their contexts bind is worked out once for all that use the same of it.

docs/spec/plain-event.md; docs/decisions/0209. Any doubt, and every refusal, is `plain_event`'s.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sudonglian.chain import canonical
from sudonglian.chain.canonical import Json
from sudonglian.chain.errors import RecordRefused
from sudonglian.records.epcis.plain import (
    NAMESPACE,
    PREFIX,
    effective_context,
    entries,
    needed,
    plain_event,
    refuse_hidden_namespace,
)

TERM: Final = re.compile("[A-Za-z_][A-Za-z0-9_.-]*")
"""A term that is found in the bytes of an event as it is."""

MAX_TERMS: Final = 64
"""Bound terms that are looked for one by one."""

MAX_CONTEXTS: Final = 64
"""Contexts that are kept, and what events need of each: those of a document are few."""

_LEFT_OUT: Final = frozenset({"@context", "recordTime"})
_OURS: Final = f'"{PREFIX}'.encode()
_HIDDEN: Final = b"sudonglian:"
_LEAST: Final = b"A"
"""No name that begins with this or what follows it stands before `@context`."""


def plain_bytes(events: Iterable[dict[str, Json]], contexts: Sequence[Json] = ()) -> Iterator[bytes]:
    """Yield the canonical bytes of each event's plain event.

    >>> [*plain_bytes([{"type": "ObjectEvent", "recordTime": "x", "ex:a": 1}], [{"ex": "urn:e:", "other": "urn:o:"}])]
    [b'{"@context":{"ex":"urn:e:"},"ex:a":1,"type":"ObjectEvent"}']

    Raises
    ------
    RecordRefused
        As `plain_event`, for the first event that it refuses.
    """
    bound: dict[str, _Bound] = {}
    for event in events:
        own = event.get("@context", [])
        key = repr(own)
        if key not in bound:
            if len(bound) >= MAX_CONTEXTS:
                bound.clear()
            bound[key] = _Bound([*contexts, *entries(own, "/@context")])
        yield bound[key].written(event) or canonical.encode(plain_event(event, contexts))


class _Bound:
    """What one context binds, and the bytes of what events need of it."""

    def __init__(self, contexts: Sequence[Json]) -> None:
        self._urls, self._bindings = effective_context(contexts)
        self._terms = [
            (term, f'"{term}'.encode(), f'"{term}:'.encode(), f'"{term}":'.encode(), f'"{term}://'.encode())
            for term in self._bindings
            if TERM.fullmatch(term)
        ]
        self._is_ours = self._bindings.get(PREFIX) == NAMESPACE
        self._contexts: dict[tuple[str, ...], bytes] = {}
        self._is_plain = len(self._terms) <= MAX_TERMS and all(
            term.startswith("@") or TERM.fullmatch(term) for term in self._bindings
        )
        try:
            refuse_hidden_namespace(set(), self._bindings)
        except RecordRefused:
            self._is_plain = False

    def written(self, event: dict[str, Json]) -> bytes:
        """Return the bytes, or none if it is not plain what they are."""
        if not self._is_plain:
            return b""
        members = event
        if not _LEFT_OUT.isdisjoint(event):
            members = {name: value for name, value in event.items() if name not in _LEFT_OUT}
        said = canonical.encode(members)
        # Where nothing is escaped, a quote and a term behind it begin a name or a text.
        if b"\\" in said or said[2:3] < _LEAST or said.count(b"{") + said.count(b"[") > canonical.MAX_DEPTH:
            return b""
        if (_OURS in said and not self._is_ours) or _HIDDEN in said.lower():
            return b""
        used = []
        for term, begin, prefix, name, url in self._terms:
            if begin in said:
                if url in said:
                    return b""
                if prefix in said or name in said:
                    used.append(term)
        context = self._contexts.get(key := tuple(used))
        if context is None:
            if len(self._contexts) >= MAX_CONTEXTS:
                self._contexts.clear()
            context = self._contexts[key] = self._context(key)
        return said[:1] + context + said[1:]

    def _context(self, used: tuple[str, ...]) -> bytes:
        kept = needed(set(used), self._bindings)
        value: Json = ([*self._urls, kept] if kept else [*self._urls]) if self._urls else kept
        return canonical.encode({"@context": value})[1:-1] + b"," if value else b""

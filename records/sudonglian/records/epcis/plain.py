"""Plain events: the part of a submitted event that is hashed.

docs/spec/plain-event.md; rule numbers below are that document's.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from sudonglian.chain.canonical import MAX_DEPTH, Json
from sudonglian.chain.errors import RecordRefused
from sudonglian.records.epcis.refusals import NotEpcis, TooDeep

PREFIX: Final = "sdl"
NAMESPACE: Final = "urn:sudonglian:ns:1:"
"""Our extensions; the visibility table knows them by prefix, so that no other spelling may exist (rule 8)."""

OFFICIAL: Final = re.compile(r"https?://(ref\.gs1\.org/standards/epcis|gs1\.github\.io/EPCIS)(/.*)?", re.DOTALL)
"""GS1's own context, which every EPCIS event means whether it says so or not (rule 5)."""

CORE: Final = frozenset({"cbv", "cbvmda", "epcis", "gs1", "rdfs", "xsd", "dcterms", "owl"})
"""Prefixes that GS1's context binds."""


class ContextRefused(RecordRefused):
    """A context that cannot be read; `place` is a JSON pointer into the event."""

    slug = "context"


class SdlContextRefused(ContextRefused):
    """Our namespace under another name, our prefix for another namespace, or our prefix unbound."""

    slug = "context-sdl"


def plain_event(event: dict[str, Json], contexts: Sequence[Json] = ()) -> dict[str, Json]:
    """Return P: the event's members as written, without recordTime, with the bindings that it needs.

    >>> plain_event({"type": "ObjectEvent", "recordTime": "x", "ex:a": 1}, [{"ex": "urn:e:", "other": "urn:o:"}])
    {'type': 'ObjectEvent', 'ex:a': 1, '@context': {'ex': 'urn:e:'}}

    Raises
    ------
    ContextRefused, SdlContextRefused
        A context that is not one, or that hides our own namespace.
    TooDeep
        The event is nested deeper than the canonical form allows.
    """
    return plain_under(event, *effective_context([*contexts, *entries(event.get("@context", []), "/@context")]))


def plain_under(event: dict[str, Json], urls: Sequence[str], bindings: dict[str, Json]) -> dict[str, Json]:
    """Return P by the contexts that hold in the event (`effective_context`); it raises what `plain_event` does."""
    members = {name: value for name, value in event.items() if name not in ("@context", "recordTime")}
    used = terms_of(members)
    refuse_hidden_namespace(used, bindings)
    kept = needed(used, bindings)
    if urls:
        members["@context"] = [*urls, kept] if kept else [*urls]
    elif kept:
        members["@context"] = kept
    return members


def entries(context: Json, place: str) -> tuple[Json, ...]:
    """Return the entries of a JSON-LD context, which may be written alone or as an array."""
    found = tuple(context) if isinstance(context, list) else (context,)
    for index, entry in enumerate(found):
        if entry is not None and not isinstance(entry, str | dict):
            zh = "@context 应为网址、对象或其数组"
            raise NotEpcis("a context is a URL, an object or an array of these", zh=zh, place=f"{place}/{index}")
    return found


def effective_context(contexts: Iterable[Json]) -> tuple[list[str], dict[str, Json]]:
    """Return the foreign URLs and the bindings that hold after all contexts, the later one winning (rules 4-6)."""
    urls: list[str] = []
    bindings: dict[str, Json] = {}
    for context in contexts:
        if context is None:  # JSON-LD 1.1 §4.1: null takes back everything said before
            urls, bindings = [], {}
        elif isinstance(context, str):
            if not OFFICIAL.fullmatch(context) and context not in urls:
                urls.append(context)
        elif isinstance(context, dict):
            for term, value in context.items():
                bindings.pop(term, None)
                if value is not None:
                    bindings[term] = value
        else:
            raise ContextRefused("a context is a URL, an object or an array of these", place="/@context")
    return urls, bindings


def names_epcis(contexts: Iterable[Json]) -> bool:
    """Return whether GS1's own context is among these, and not taken back.

    >>> names_epcis(["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"]), names_epcis([{"ex": "urn:e:"}])
    (True, False)
    """
    named = False
    for context in contexts:
        named = context is not None and (
            named or (isinstance(context, str) and OFFICIAL.fullmatch(context) is not None)
        )
    return named


def terms_of(value: Json) -> set[str]:
    """Return every term that a value may use: whole keys, and the prefix of keys and strings (rule 7)."""
    used: set[str] = set()
    level: list[Json] = [value]
    # A loop and not recursion: the depth is the sender's choice.
    for _ in range(MAX_DEPTH):
        below: list[Json] = []
        for one in level:
            if isinstance(one, dict):
                used.update(one)
                texts: Iterable[Json] = (*one, *one.values())
            else:
                texts = one if isinstance(one, list) else (one,)
            for text in texts:
                if isinstance(text, str):
                    if (end := text.find(":")) >= 0 and not text.startswith("//", end + 1):
                        used.add(text[:end])
                elif isinstance(text, (dict, list)):
                    below.append(text)
        if not below:
            return used
        level = below
    raise TooDeep(f"an event is nested deeper than {MAX_DEPTH}", zh=f"事件嵌套超过 {MAX_DEPTH} 层")


def needed(used: set[str], bindings: dict[str, Json]) -> dict[str, Json]:
    """Return the bindings of the terms that are used, and of what these are written with (rule 7)."""
    # Keywords such as @vocab change what every bare key means; a binding may itself be written with a prefix.
    kept = {term for term in bindings if term in used or term.startswith("@")}
    pending = list(kept)
    while pending:
        for term in terms_of(bindings[pending.pop()]) & bindings.keys() - kept:
            kept.add(term)
            pending.append(term)
    return {term: value for term, value in bindings.items() if term in kept}


def refuse_hidden_namespace(used: set[str], bindings: dict[str, Json]) -> None:
    """Refuse our namespace under another name, our prefix for another, or our prefix unbound (rule 8)."""
    if PREFIX in used and bindings.get(PREFIX) != NAMESPACE:
        raise SdlContextRefused(f"the prefix {PREFIX} must be bound to {NAMESPACE}", place="/@context")
    for term in used:
        if term[:1] in ("u", "U") and term.lower().startswith("urn:sudonglian:"):
            raise SdlContextRefused(f"{term!r} must be written with the prefix {PREFIX}", place="")
    for term, value in bindings.items():
        target = value.get("@id") if isinstance(value, dict) else value
        if not isinstance(target, str):
            continue
        if term == PREFIX and target == NAMESPACE:
            continue
        lowered = target.lower()
        # urn:sudonglian: alone would let `x:ns:1:participants` mean sdl:participants.
        if lowered.startswith(("urn:sudonglian", f"{PREFIX}:")) or (lowered and "urn:sudonglian:".startswith(lowered)):
            raise SdlContextRefused(f"{term!r} is another name for {NAMESPACE}", place="/@context")
        if term == PREFIX:
            raise SdlContextRefused(f"the prefix {PREFIX} must be bound to {NAMESPACE}", place="/@context")

"""What is installed in this Python: every distribution, what it needs, and the files that the lock allows for it.

docs/security.md (what it is made of); docs/decisions/0810.
"""

import re
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from sudonglian.api.bill import Component

SUBJECT: Final = "sudonglian"
EXTRAS: Final = frozenset({"server"})
"""What the program asks of itself; what lacks of it here is not in the bill."""

LONGEST_NAME: Final = 64
"""Longer than any name of a licence: some put its whole text there."""

_CLASSIFIER: Final = "License :: "
_PIN: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)")
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})\b")

Hashes = Mapping[tuple[str, str], frozenset[str]]


def hashes_of_lock(text: str) -> dict[tuple[str, str], frozenset[str]]:
    r"""Return the digests of each pinned package of a requirements file.

    >>> hashes_of_lock("a_b==1.0 ; x \\\n    --hash=sha256:" + "0" * 64)[("a-b", "1.0")] == {"0" * 64}
    True
    """
    found: dict[tuple[str, str], set[str]] = {}
    pinned: set[str] = set()
    for line in text.splitlines():
        if pin := _PIN.match(line):
            pinned = found.setdefault((canonicalize_name(pin[1]), pin[2]), set())
        pinned.update(_HASH.findall(line))
    return {pin: frozenset(digests) for pin, digests in found.items()}


def installed(hashes: Hashes) -> tuple[Component, list[Component]]:
    """Return this program and every other distribution that is installed beside it."""
    found: dict[str, metadata.Distribution] = {}
    for one in metadata.distributions():
        if one.metadata["Name"]:
            found.setdefault(canonicalize_name(one.metadata["Name"]), one)
    served = _reach(found, {SUBJECT: EXTRAS})
    asked = _reach(found, {**dict.fromkeys(found, frozenset()), **served})
    components = {
        name: _component(
            name,
            one,
            [ref(other, found[other].version) for other in sorted(_needs(found, name, asked[name]))],
            hashes,
            serves=name in served,
        )
        for name, one in found.items()
    }
    subject = components.pop(SUBJECT)
    return subject, list(components.values())


def ref(name: str, version: str) -> str:
    """Return a package's name for machines."""
    return f"pkg:pypi/{name}@{version}"


def _reach(
    found: Mapping[str, metadata.Distribution], roots: Mapping[str, frozenset[str]]
) -> dict[str, frozenset[str]]:
    """Return all that is needed for some, each with the extras that anybody asks of it."""
    asked = {name: extras for name, extras in roots.items() if name in found}
    waiting = list(asked)
    while waiting:
        name = waiting.pop()
        for other, extras in _needs(found, name, asked[name]).items():
            if other not in asked or not extras <= asked[other]:
                asked[other] = asked.get(other, frozenset()) | extras
                waiting.append(other)
    return asked


def _needs(found: Mapping[str, metadata.Distribution], name: str, extras: Iterable[str]) -> dict[str, frozenset[str]]:
    needed: dict[str, frozenset[str]] = {}
    for line in found[name].requires or ():
        try:
            one = Requirement(line)
        except InvalidRequirement:
            continue
        other = canonicalize_name(one.name)
        if other not in found or other == name:
            continue
        if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            needed[other] = needed.get(other, frozenset()) | one.extras
    return needed


def _component(name: str, one: metadata.Distribution, needs: list[str], hashes: Hashes, *, serves: bool) -> Component:
    licence, expression = _licence(one)
    return Component(
        ref=ref(name, one.version),
        purl=ref(name, one.version),
        name=name,
        version=one.version,
        licence=licence,
        expression=expression,
        hashes=tuple(("SHA-256", digest) for digest in sorted(hashes.get((name, one.version), ()))),
        needs=tuple(needs),
        serves=serves,
    )


def _licence(one: metadata.Distribution) -> tuple[str, bool]:
    """Return what a distribution says of its licence, and whether that is an SPDX expression."""
    said = one.metadata
    if expression := _first(said, "License-Expression"):
        return expression, True
    classified = [
        text.rsplit(" :: ", 1)[-1]
        for text in said.get_all("Classifier") or ()
        if text.startswith(_CLASSIFIER) and text != "License :: OSI Approved"
    ]
    named = _first(said, "License")
    if named and "\n" not in named and len(named) <= LONGEST_NAME and named.upper() != "UNKNOWN":
        return named, False
    return "; ".join(sorted(set(classified))), False


def _first(said: metadata.PackageMetadata, name: str) -> str:
    return str((said.get_all(name) or [""])[0]).strip()

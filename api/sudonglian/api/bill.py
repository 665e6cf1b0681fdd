"""A bill of materials: what this program is made of, as one CycloneDX 1.6 document.

docs/security.md (what it is made of); docs/decisions/0810. Pure: the same components give the same bytes.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

SPEC_VERSION: Final = "1.6"

IDS: Final = {
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache-2.0": "Apache-2.0",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "isc": "ISC",
    "isc license (iscl)": "ISC",
    "mit": "MIT",
    "mit license": "MIT",
    "mit no attribution license (mit-0)": "MIT-0",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "mpl-2.0": "MPL-2.0",
    "psf-2.0": "PSF-2.0",
    "python software foundation license": "PSF-2.0",
    "the unlicense (unlicense)": "Unlicense",
}
"""Words that mean one licence of the SPDX list and no other; "BSD" is three, so it stays a word."""

UNKNOWN: Final = "?"


@dataclass(frozen=True, slots=True)
class Component:
    """One package in one version, and what it says of itself."""

    ref: str
    purl: str
    name: str
    version: str
    licence: str = ""
    expression: bool = False
    """The licence is an SPDX expression, as its maker wrote it."""
    hashes: tuple[tuple[str, str], ...] = ()
    """Algorithm and hexadecimal digest of each file from which this version may be installed."""
    needs: tuple[str, ...] = ()
    serves: bool = False
    """The program needs it to run; others build, test or audit it."""

    def as_json(self) -> dict[str, Any]:
        """Return the component as CycloneDX says it."""
        told: dict[str, Any] = {
            "type": "library",
            "bom-ref": self.ref,
            "name": self.name,
            "version": self.version,
            "scope": "required" if self.serves else "excluded",
            "purl": self.purl,
        }
        if licences := licences_of(self):
            told["licenses"] = licences
        if self.hashes:
            # Of files, not of what is unpacked: so they stand at the distribution. The purl names no registry.
            digests = [{"alg": algorithm, "content": digest} for algorithm, digest in sorted(self.hashes)]
            told["externalReferences"] = [{"type": "distribution", "url": self.purl, "hashes": digests}]
        return told


def licences_of(component: Component) -> list[dict[str, Any]]:
    """Return a component's licence: an expression, a name of the SPDX list, or the words that it has for it.

    >>> licences_of(Component("r", "p", "n", "1", licence="MIT License"))
    [{'license': {'id': 'MIT'}}]
    """
    if not component.licence:
        return []
    if component.expression:
        return [{"expression": component.licence}]
    known = IDS.get(component.licence.lower())
    return [{"license": {"id": known} if known else {"name": component.licence}}]


def licence_counts(components: Iterable[Component]) -> list[tuple[str, int]]:
    """Return how many components stand under which licence, the most first."""
    counted = Counter(
        (one.licence if one.expression else IDS.get(one.licence.lower(), one.licence)) or UNKNOWN for one in components
    )
    return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))


def bill(subject: Component, components: Sequence[Component], *, made: str = "") -> dict[str, Any]:
    """Return the bill of a program and all that stands around it; `made` is when, if anybody wants to know."""
    every = sorted(components, key=lambda one: one.ref)
    root = {name: value for name, value in subject.as_json().items() if name != "scope"} | {"type": "application"}
    body = {
        "metadata": {
            "tools": {"components": [{"type": "application", "name": subject.name, "version": subject.version}]},
            "component": root,
        },
        "components": [one.as_json() for one in every],
        "dependencies": [{"ref": one.ref, "dependsOn": sorted(one.needs)} for one in [subject, *every]],
    }
    written = json.dumps(body, ensure_ascii=False, sort_keys=True)
    if made:
        body["metadata"]["timestamp"] = made  # type: ignore[index]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        # Two bills of the same things are one bill.
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, written)}",
        "version": 1,
        **body,
    }

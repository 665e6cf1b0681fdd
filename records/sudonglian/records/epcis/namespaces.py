"""Namespaces: the prefix that each has in one event's JSON, whatever prefixes its XML used.

Namespaces in XML 1.0; docs/spec/plain-event.md rules 4-8 (what becomes of the bindings).
"""

from collections.abc import Mapping
from typing import Final

from sudonglian.chain.canonical import Json
from sudonglian.records.epcis.markup import Element
from sudonglian.records.epcis.plain import NAMESPACE, PREFIX
from sudonglian.records.epcis.vocabulary import PREFIXES

VERSIONS: Final = {
    "urn:epcglobal:epcis:xsd:2": "2.0",
    "urn:epcglobal:epcis:xsd:1": "1",
    "urn:epcglobal:epcis-query:xsd:2": "2.0",
    "urn:epcglobal:epcis-query:xsd:1": "1",
    "urn:epcglobal:epcis-masterdata:xsd:2": "2.0",
    "urn:epcglobal:epcis-masterdata:xsd:1": "1",
}
"""The namespaces of the documents' roots, and the version that each belongs to."""

EPCIS: Final = frozenset({"", *VERSIONS})
"""Those of the standard's own elements, which its schemas leave without one and some programs qualify."""

MACHINERY: Final = frozenset({"http://www.w3.org/2001/XMLSchema-instance"})
"""Attributes that speak to an XML parser (`xsi:type`, `xsi:schemaLocation`) and say nothing of the event."""

STANDARD: Final = {NAMESPACE: PREFIX, "urn:epcglobal:cbv:mda": "cbvmda", "urn:epcglobal:cbv:mda:": "cbvmda"}
"""Namespaces that have one prefix in JSON: ours by plain-event.md rule 8, master data by GS1's own context.

That of master data is written with and without the colon at its end; no other differs.
"""

UNBOUND: Final = frozenset({"cbvmda"})
"""Prefixes that GS1's context binds, so that an event needs not."""


class Names:
    """The names of one event's members."""

    def __init__(self, scope: Mapping[str, str]) -> None:
        self._scope = scope
        self._bound: dict[str, str] = {}
        self._prefixes: dict[str, str] = {}
        self._merge(scope)

    def key(self, element: Element) -> str:
        """Return the member that an element becomes."""
        if element.namespace in EPCIS:
            return element.name
        if element.scope is not self._scope:
            self._merge(element.scope)
        return self.name(element.namespace, element.name, element.prefix)

    def name(self, namespace: str, local: str, prefix: str) -> str:
        """Return a name with its prefix: as written, or another if that one means something else already."""
        if not namespace:
            return local
        found = self._prefixes.get(namespace) or self._choose(namespace, prefix)
        return f"{found}:{local}"

    def is_own(self, element: Element) -> bool:
        """Return whether an element is one of our extensions, or stands in one without a namespace."""
        return self.is_own_namespace(element.namespace)

    def is_own_namespace(self, namespace: str) -> bool:
        """Return whether a name is one of ours."""
        return namespace == NAMESPACE

    def is_machinery(self, namespace: str) -> bool:
        """Return whether an attribute is for the parser alone."""
        return namespace in MACHINERY

    @property
    def used(self) -> frozenset[str]:
        """Return the namespaces of the names that have been given, but for EPCIS's own."""
        return frozenset(self._prefixes)

    def context(self) -> dict[str, Json]:
        """Return the bindings, to which plain-event.md applies as if the event had come with them."""
        return {**{prefix: uri for prefix, uri in PREFIXES.items() if prefix not in self._bound}, **self._bound}

    def _merge(self, scope: Mapping[str, str]) -> None:
        for prefix, uri in scope.items():
            if prefix and prefix != PREFIX and uri not in EPCIS and uri not in MACHINERY and uri not in STANDARD:
                self._bound.setdefault(prefix, uri)

    def _choose(self, namespace: str, prefix: str) -> str:
        wanted = STANDARD.get(namespace, prefix)
        free = wanted and self._bound.get(wanted, namespace) == namespace
        if not free or (wanted == PREFIX and namespace != NAMESPACE):
            number = 1
            while f"ns{number}" in self._bound:
                number += 1
            wanted = f"ns{number}"
        if wanted not in UNBOUND or namespace not in STANDARD:
            self._bound[wanted] = namespace
        self._prefixes[namespace] = wanted
        return wanted

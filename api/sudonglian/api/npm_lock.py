"""The packages of npm's lock file, which bring the compiler and the nodes of development.

docs/security.md (what it is made of); package-lock.json of version 3.
"""

import base64
import binascii
import json
from typing import Any, Final
from urllib.parse import quote

from sudonglian.api.bill import Component
from sudonglian.api.errors import FileUnreadable

_INSIDE: Final = "node_modules/"
_NEEDS: Final = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_ALGORITHMS: Final = {"sha512": "SHA-512", "sha384": "SHA-384", "sha256": "SHA-256"}


def packages(raw: bytes, place: str) -> list[Component]:
    """Return every package of a lock file, its project first."""
    try:
        whole: dict[str, dict[str, Any]] = json.loads(raw)["packages"]
        return [_component(whole, path) for path in sorted(whole) if not whole[path].get("link")]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise FileUnreadable(
            "not a package-lock.json of version 3", place=place, zh="不是第 3 版的 package-lock.json"
        ) from error


def _component(whole: dict[str, dict[str, Any]], path: str) -> Component:
    one = whole[path]
    name = one.get("name") or path.rpartition(_INSIDE)[2]
    version = str(one.get("version", "0"))
    return Component(
        ref=_ref(whole, path),
        purl=f"pkg:npm/{quote(name, safe='/')}@{quote(version)}",
        name=name,
        version=version,
        # npm asks for an expression; what is none stays a name.
        licence=_text(one.get("license")),
        hashes=_hashes(one.get("integrity", "")),
        needs=tuple(sorted({_ref(whole, found) for found in _needs(whole, path)})),
    )


def _ref(whole: dict[str, dict[str, Any]], path: str) -> str:
    """Return the place in the tree: one version may stand at several."""
    return f"npm:{whole['']['name']}/{path}" if path else f"npm:{whole['']['name']}"


def _needs(whole: dict[str, dict[str, Any]], path: str) -> list[str]:
    names = {name for kind in _NEEDS for name in whole[path].get(kind, {})}
    return [found for name in sorted(names) if (found := _resolve(whole, path, name))]


def _resolve(whole: dict[str, dict[str, Any]], path: str, name: str) -> str:
    """Return the path that Node finds under a name: the nearest node_modules on the way up.

    >>> _resolve({"": {}, "node_modules/a": {}, "node_modules/b/node_modules/a": {}}, "node_modules/b", "a")
    'node_modules/b/node_modules/a'
    """
    at = path
    while True:
        candidate = f"{at}/{_INSIDE}{name}" if at else f"{_INSIDE}{name}"
        if candidate in whole:
            return candidate
        if not at:
            return ""
        at = at.rpartition(f"/{_INSIDE}")[0] if f"/{_INSIDE}" in at else ""


def _text(said: object) -> str:
    if isinstance(said, dict):  # an old way to write it
        said = said.get("type")
    return said if isinstance(said, str) else ""


def _hashes(integrity: str) -> tuple[tuple[str, str], ...]:
    found = []
    for one in integrity.split():
        algorithm, _, digest = one.partition("-")
        if algorithm in _ALGORITHMS:
            try:
                found.append((_ALGORITHMS[algorithm], base64.b64decode(digest, validate=True).hex()))
            except binascii.Error:
                raise ValueError(integrity) from None
    return tuple(found)

"""One thing in a document of a test is changed or taken away, by its JSON pointer."""

import copy
from typing import Any, Final, TypeVar

T = TypeVar("T", dict[str, Any], list[dict[str, Any]])

GONE: Final[Any] = object()
"""In place of a value: it is taken away."""


def changed(whole: T, place: str, value: Any) -> T:
    """Return a copy in which the value at a place is another, or is gone."""
    result = copy.deepcopy(whole)
    holder: Any = result
    *path, last = place.removeprefix("/").split("/")
    for step in path:
        holder = holder[int(step) if isinstance(holder, list) else step]
    key: Any = int(last) if isinstance(holder, list) else last
    if value is GONE:
        del holder[key]
    else:
        holder[key] = value
    return result

"""Lists in events, as the Event Hash ID writes them: each element by itself, and all of them sorted.

CBV 2.0 §8.9; docs/decisions/0208.
"""

from collections.abc import Callable

from sudonglian.records.epcis.hash_memo import Memo, Unplanned
from sudonglian.records.epcis.hash_plan import Plan
from sudonglian.records.epcis.hash_trie import Trie
from sudonglian.records.epcis.markup import SPACE
from sudonglian.records.epcis.xml_shape import Shape


class ListedTexts:
    """A list of plain texts, from the markup between its tags."""

    def __init__(self, item: str, memo: Memo) -> None:
        self._begin, self._end = f"<{item}>", f"</{item}>"
        self._memo = memo

    def __getitem__(self, body: str) -> str:
        """Return what the hash writes; where elements are not all laid out alike there is no plan."""
        first = body.find(self._begin) + len(self._begin)
        last = body.rfind(self._end)
        before = body[:first]
        if last < first or before.lstrip(SPACE) != self._begin or body[last + len(self._end) :].strip(SPACE):
            raise Unplanned
        texts = body[first:last].split(self._end + before)
        return "".join(sorted(map(self._memo.__getitem__, texts)))


class ListedElements:
    """A list of elements, from the markup between its tags."""

    def __init__(self, item: str, make: Callable[[Shape], Plan]) -> None:
        self._end = f"</{item}>"
        self._trie = Trie("", make)

    def __getitem__(self, body: str) -> str:
        """Return what the hash writes."""
        *items, behind = body.split(self._end)
        if behind.strip(SPACE) or not items:
            raise Unplanned
        return "".join(sorted([self._trie.written(each.lstrip(SPACE) + self._end) for each in items]))

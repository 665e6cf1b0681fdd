"""Lists in events, as the Event Hash ID writes them: each element by itself, and all of them sorted.

CBV 2.0 §8.9; docs/decisions/0208.
"""

from collections.abc import Callable, Sequence
from itertools import chain, islice

from sudonglian.records.epcis.hash_memo import UNKNOWN, Memo, Unplanned, each_of
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

    def column(self, bodies: Sequence[str]) -> list[str]:
        """Return what the hash writes of each list."""
        first = bodies[0].find(self._begin) + len(self._begin) if bodies else 0
        before, after = (bodies[0][:first], bodies[0][bodies[0].rfind(self._end) :]) if bodies else ("", "")
        behind = after.removeprefix(self._end)
        if before.lstrip(SPACE) != self._begin or behind.strip(SPACE) or behind == after:
            return each_of(self.__getitem__, bodies)
        begins, ends, between = len(before), -len(after), self._end + before
        lists = [
            each[begins:ends].split(between) for each in bodies if each.startswith(before) and each.endswith(after)
        ]
        if len(lists) < len(bodies):
            return each_of(self.__getitem__, bodies)
        return _together(lists, self._memo.column([*chain.from_iterable(lists)]))


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

    def column(self, bodies: Sequence[str]) -> list[str]:
        """Return what the hash writes of each list."""
        lists = [each.split(self._end) for each in bodies]
        if any(each.pop().strip(SPACE) or not each for each in lists):
            return each_of(self.__getitem__, bodies)
        elements = [each.lstrip(SPACE) + self._end for each in chain.from_iterable(lists)]
        return _together(lists, self._trie.column(elements))


def _together(lists: Sequence[Sequence[str]], texts: Sequence[str]) -> list[str]:
    """Return what is written of each list, given what is of all elements in turn."""
    if UNKNOWN in texts:
        found = (list(islice(each, len(one))) for each in [iter(texts)] for one in lists)
        return [UNKNOWN if UNKNOWN in one else "".join(sorted(one)) for one in found]
    each = iter(texts)
    return ["".join(sorted(islice(each, len(one)))) for one in lists]

"""Tries: the plans for one kind of element, found by walking along its markup from value to value.

docs/decisions/0208. What a trie holds is bounded, for it is what senders write.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sudonglian.chain.errors import SudonglianError
from sudonglian.records.epcis.hash_memo import UNKNOWN, Unplanned, each_of
from sudonglian.records.epcis.hash_plan import Memory, Plan
from sudonglian.records.epcis.xml_shape import Shape, shape_of

MAX_PLANS: Final = 64
"""Plans of one trie: every way in which a system writes one member."""

MAX_LETTERS: Final = 65_536
"""Characters of markup that the plans of one trie hold."""

MAX_HOPELESS: Final = 1_024
"""Shapes without a plan that are remembered, so that none is tried again and again."""


class _Node:
    """A point in the markup where a value begins, or the element ends."""

    __slots__ = ("closing", "edges", "plan")

    def __init__(self, closing: str = "") -> None:
        self.closing = closing
        self.edges: list[tuple[str, _Node]] = []
        self.plan: Plan | None = None


@dataclass(frozen=True, slots=True)
class _Single:
    """A plan of one value, and what stands around it."""

    first: str
    last: str
    closing: str
    before: str
    after: str
    memory: Memory


class Trie:
    """The plans for elements that begin alike, made when the first of a shape comes."""

    def __init__(self, begin: str, make: Callable[[Shape], Plan]) -> None:
        self._begin = begin
        self._make = make
        self._root = _Node()
        self._plans = self._letters = 0
        self._hopeless: set[int] = set()
        self._single: _Single | None = None

    def written(self, markup: str) -> str:
        """Return what the hash writes of an element, given its markup behind its begin.

        Raises
        ------
        Unplanned
            There is no plan for it, or not for its values.
        SudonglianError
            A value is refused.
        """
        # Most elements hold one text or one list.
        if (single := self._single) and markup.startswith(single.first) and markup.endswith(single.last):
            value = markup[len(single.first) : len(markup) - len(single.last)]
            if value and single.closing not in value:
                return single.before + single.memory[value] + single.after
        node, at = self._root, 0
        values: list[str] = []
        while True:
            for literal, after in node.edges:
                if markup.startswith(literal, at):
                    at += len(literal)
                    node = after
                    break
            else:
                return self._planned(markup)
            if node.plan is not None:
                if at != len(markup):
                    raise Unplanned
                return node.plan.text(values)
            ends = markup.find(node.closing, at)
            if ends < 0:
                raise Unplanned
            values.append(markup[at:ends])
            at = ends

    def column(self, markups: Sequence[str]) -> list[str]:
        """Return what the hash writes of each element, `UNKNOWN` where there is no plan."""
        if self._single is None and markups:
            each_of(self.written, markups[:1])  # makes the plan, if it is the first
        single = self._single
        if single is None:
            return each_of(self.written, markups)
        first, last = single.first, single.last
        begins, ends = len(first), -len(last)
        values = [each[begins:ends] for each in markups if each.startswith(first) and each.endswith(last)]
        # One search in all of them: what it finds may be in none, but what is in one it finds.
        if len(values) < len(markups) or single.closing in "\n".join(values) or not all(values):
            return each_of(self.written, markups)
        before, after = single.before, single.after
        return [before + text + after if text != UNKNOWN else UNKNOWN for text in single.memory.column(values)]

    def _planned(self, markup: str) -> str:
        if self._plans >= MAX_PLANS or self._letters >= MAX_LETTERS:
            raise Unplanned
        shape = shape_of(self._begin + markup)
        key = hash(shape.literals)
        if key in self._hopeless:
            raise Unplanned
        if len(self._hopeless) >= MAX_HOPELESS:
            self._hopeless.clear()
        self._hopeless.add(key)  # whatever becomes of it, it is tried once
        try:
            plan = self._make(shape)
        except SudonglianError as refusal:
            raise Unplanned from refusal
        self._keep(shape, plan)
        return self.written(markup)

    def _keep(self, shape: Shape, plan: Plan) -> None:
        first, *others = shape.literals
        literals = [first.removeprefix(self._begin), *others]
        node = self._root
        for literal, closing in zip(literals, [*(slot.closing for slot in shape.slots), ""], strict=True):
            after = next((each for said, each in node.edges if said == literal), None)
            if after is None:
                after = _Node(closing)
                # The longer first: an empty value is markup, and begins as one that is not empty does.
                node.edges = sorted([*node.edges, (literal, after)], key=lambda edge: -len(edge[0]))
            node = after
        node.plan = plan
        if plan.around:
            before, behind = plan.around
            self._single = _Single(literals[0], literals[1], shape.slots[0].closing, before, behind, plan.memories[0])
        self._plans += 1
        self._letters += sum(map(len, literals))

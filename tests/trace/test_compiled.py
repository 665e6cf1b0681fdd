"""Whole trace documents by the compiled kernel against those by the plain one, byte for byte.

docs/decisions/0353; test_stays compares labels, this all that is made of them: forward, backward, certain and possible.
"""

from dataclasses import replace

import pytest
from tests.trace.questions import answered, question
from tests.trace.worlds import crowd, told_world, world

from sudonglian.trace.engine import compiled

WORLDS = 200


@pytest.mark.parametrize("backward", [False, True])
def test_documents_are_the_plain_kernels(monkeypatch: pytest.MonkeyPatch, backward: bool) -> None:
    taken = 0
    for number in range(WORLDS):
        facts = (crowd, world, told_world)[number % 3](number)
        asked = question(facts, number)
        if asked is None:
            continue
        query = replace(asked.query, backward=backward)
        if number % 2 or asked.is_warm:
            query = replace(query, min_dwell={}, persistence=dict(list(query.persistence.items())[: number % 5]))
        asked = asked._replace(query=replace(query, policy="policy/1"))
        plain = answered(facts, asked)
        monkeypatch.setattr(compiled, "LARGE", 0)
        taken += compiled.takes(plain.wide.ground.columns) and not plain.wide.ground.fades
        assert answered(facts, asked).encoded() == plain.encoded(), number
        monkeypatch.undo()
    assert taken > WORLDS // 4


def test_what_lasts_or_wanes_is_left_to_the_plain_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "LARGE", 0)
    seen = set()
    for number in range(60):
        facts = world(number)
        asked = question(facts, number)
        if asked is not None:
            land = answered(facts, asked).wide.ground
            assert not (land.dwell and compiled.takes(land.columns))
            seen.add(bool(land.dwell))
    assert seen == {True, False}

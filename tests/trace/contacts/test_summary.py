"""Degrees and chains of all parties, held against asking one by one, and against the sets of bits."""

import random

import numpy as np
import pytest

from sudonglian.trace.engine.contacts import dense
from sudonglian.trace.engine.contacts.rows import Contacts
from sudonglian.trace.engine.contacts.summary import summary
from sudonglian.trace.errors import QueryRefused

from .literal import Row, arrivals

WORLDS = 600


def drawn(chance: random.Random) -> tuple[list[Row], int, int]:
    parties, last = chance.randint(2, 8), chance.choice([1, 3, 6, 20])
    rows = [
        (chance.randrange(parties), chance.randrange(parties), chance.randrange(last), None)
        for _ in range(chance.randint(0, 25))
    ]
    return [*rows], parties, last


def table(rows: list[Row], parties: int) -> Contacts:
    columns = np.array([row[:3] for row in rows], np.int64).reshape(-1, 3)
    source, target = columns[:, 0].astype(np.int32), columns[:, 1].astype(np.int32)
    return Contacts(source, target, columns[:, 2].copy(), None, parties)


def test_as_asking_one_by_one() -> None:
    chance = random.Random(11)
    for _ in range(WORLDS):
        rows, parties, last = drawn(chance)
        first, end = sorted((chance.randrange(last), chance.randrange(last)))
        wait, strict = chance.choice([None, 0, 1, 2, 5]), chance.random() < 0.5
        contacts = table(rows, parties)
        found = summary(contacts, first, end, max_wait=wait, strict=strict, threads=chance.choice([1, 2]))
        inside = [row for row in rows if first <= row[2] <= end]
        back: list[Row] = [(v, u, -t, None) for u, v, t, _ in inside]
        window = contacts.ordered().between(first, end)
        limit = -1 if wait is None else wait
        assert dense.chains(window, limit, strict, 2).tolist() == found.outgoing_contact_chain.tolist()
        for u in range(parties):
            assert found.outgoing_contact_chain[u] == len(arrivals(inside, u, max_wait=wait, strict=strict))
            assert found.ingoing_contact_chain[u] == len(arrivals(back, u, max_wait=wait, strict=strict))
            assert found.out_degree[u] == len({v for x, v, _, _ in inside if x == u != v})
            assert found.in_degree[u] == len({x for x, v, _, _ in inside if v == u != x})


def test_copies_give_as_many_times_the_sums() -> None:
    chance = random.Random(2)
    rows = [(chance.randrange(60), chance.randrange(60), chance.randrange(30), None) for _ in range(200)]
    one = summary(table([*rows], 60), 0, 30)
    copies: list[Row] = [(u + 60 * k, v + 60 * k, t, None) for k in range(200) for u, v, t, _ in rows]
    many = summary(table(copies, 60 * 200), 0, 30)
    assert many.outgoing_contact_chain.tolist() == one.outgoing_contact_chain.tolist() * 200
    assert int(many.ingoing_contact_chain.sum()) == 200 * int(one.outgoing_contact_chain.sum())


@pytest.mark.parametrize("wait", [-1, 3])
def test_a_table_in_which_all_reach_all(wait: int) -> None:
    # Going from root to root would look at each contact once a root: sets of bits are what answers here.
    generator = np.random.default_rng(5)
    parties, rows = 3_000, 60_000
    contacts = Contacts(
        generator.integers(0, parties, rows, dtype=np.int32),
        generator.integers(0, parties, rows, dtype=np.int32),
        generator.integers(0, 40, rows),
        None,
        parties,
    ).ordered()
    found = summary(contacts, 0, 40, max_wait=None if wait < 0 else wait)
    assert found.outgoing_contact_chain.tolist() == dense.chains(contacts, wait, False, 1).tolist()
    assert int(found.outgoing_contact_chain.sum()) == int(found.ingoing_contact_chain.sum())


def test_what_has_no_meaning_is_refused() -> None:
    contacts = table([(0, 1, 1, None)], 2)
    with pytest.raises(QueryRefused):
        summary(contacts, 2, 1)
    with pytest.raises(QueryRefused):
        summary(contacts, 0, 1, max_wait=-1)
    ended = Contacts(contacts.source, contacts.target, contacts.start, contacts.start, 2)
    with pytest.raises(QueryRefused):
        summary(ended, 0, 1)

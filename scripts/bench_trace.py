"""What the compiled traces cost, beside general graph libraries that give the same answers.

tracing.md §5. Seconds are this process's processor seconds, except where threads are used, which is said.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import igraph
import networkx as nx
import numpy as np
import rustworkx
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order

from sudonglian.trace.engine.contacts.reach import NEVER, reach
from sudonglian.trace.engine.contacts.rows import Contacts
from sudonglian.trace.engine.contacts.summary import summary
from sudonglian.trace.engine.stays.index import Exposed, StayIndex

DAY = 86_400
MONTH = 30 * DAY
BEGIN = 5 * DAY

QUESTIONS = ((3, 3, 158_000, 0.040, 10_000), (14, 4, 490_000, 0.32, 3_000))
"""Days, generations, how many are exposed of ten million stays, seconds to reach for, stays a place."""

BATCH = 1_000
BATCHES = 50

Columns = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]


def timed(work: Callable[[], Any], clock: Callable[[], float] = time.process_time) -> tuple[float, Any]:
    """Return how long it takes, and what it returns."""
    before = clock()
    found = work()
    return clock() - before, found


def warm(work: Callable[[], Any], clock: Callable[[], float] = time.process_time) -> tuple[float, Any]:
    """Return the best time of three, after one that compiles and fills caches."""
    work()
    return min((timed(work, clock) for _ in range(3)), key=lambda one: one[0])


def visits(count: int, a_place: int, seed: int = 1) -> Columns:
    """Return random visits of up to two hours in thirty days; a party makes ten."""
    dice = np.random.default_rng(seed)
    party = dice.integers(0, max(2, count // 10), count).astype(np.int32)
    place = dice.integers(0, max(1, count // a_place), count).astype(np.int32)
    start = dice.integers(0, MONTH, count).astype(np.int32)
    return party, place, start, (start + dice.integers(60, 7_200, count)).astype(np.int32)


def ask(index: StayIndex, seeds: int, days: int, generations: int | None) -> Exposed:
    """Return whom the first parties expose within some days."""
    return index.spread(
        [(party, BEGIN) for party in range(seeds)], strict=True, max_hops=generations, until=BEGIN + days * DAY
    )


def stays(count: int) -> bool:
    """Print what an index of stays costs to build, to ask, and to add to; say whether adding is no rebuild."""
    StayIndex(*visits(1_000, 10)).spread([(0, 0)])  # compiles
    print(
        f"\n{'stays':>10} {'build s':>8} {'ns':>5} {'B':>5} {'days':>5} {'gen':>4} {'exposed':>9} {'ms':>8} {'ns each':>8}"
    )
    built, rebuild = None, 0.0
    for days, generations, exposed, goal, a_place in QUESTIONS:
        columns = visits(count, a_place)
        built = None
        rebuild, built = timed(partial(StayIndex, *columns))
        seeds, found = 1, ask(built, 1, days, generations)
        while len(found.party) < exposed * count // 10_000_000 and seeds < 4_096:
            seeds *= 2
            found = ask(built, seeds, days, generations)
        for limit in (generations, None):
            took, found = warm(partial(ask, built, seeds, days, limit))
            line = f"{count:>10} {rebuild:>8.2f} {rebuild / count * 1e9:>5.0f} {built.nbytes / count:>5.1f} {days:>5}"
            line += (
                f" {limit or 'any':>4} {len(found.party):>9} {took * 1e3:>8.1f} {took / len(found.party) * 1e9:>8.0f}"
            )
            print(line + (f"   (to reach for: {goal / exposed * 1e9:.0f} ns each)" if limit else ""), flush=True)
    assert built is not None
    return _live(built, count, rebuild)


def _live(index: StayIndex, count: int, rebuild: float) -> bool:
    """Add batches of handoffs, each followed by a question; one batch must cost far less than building anew."""

    def small() -> Exposed:
        return ask(index, 1, 1, 2)

    sealed, _ = warm(lambda: ask(index, 8, 14, 4))
    more = visits(BATCH * BATCHES, 3_000, seed=2)
    small()

    def add() -> None:
        for at in range(BATCHES):
            index.append(*(column[at * BATCH : (at + 1) * BATCH] for column in more))
            small()

    took, _ = timed(add)
    again, _ = warm(small)
    each = (took / BATCHES - again) / BATCH
    live, _ = warm(lambda: ask(index, 8, 14, 4))
    print(
        f"adding to {count} stays, a question after each {BATCH}: {each * 1e6:.2f} µs a stay, the question included "
        f"{took / BATCHES * 1e3:.1f} ms; with {BATCH * BATCHES} live a trace takes {live / sealed:.2f} x the sealed one's; "
        f"building anew would take {rebuild:.1f} s",
        flush=True,
    )
    return took / BATCHES < rebuild / 10


def chain(count: int) -> None:
    """Print what a chain of meetings costs, each the next one's condition, and a ring of them."""
    for name, closed in (("chain", 0), ("ring", 1)):
        place = np.repeat(np.arange(count, dtype=np.int32), 2)
        party = np.repeat(np.arange(count + 1, dtype=np.int32), 2)[1:-1] % (count + 1 - closed)
        start = np.zeros_like(place) if closed else place
        index = StayIndex(party.astype(np.int32), place, start, (start + 1).astype(np.int32))
        took, found = timed(partial(index.spread, [(0, 0)]))
        print(f"{name} of {count} meetings: {took:.2f} s, {len(found.party)} exposed", flush=True)


def random_contacts(count: int, parties: int, ticks: int) -> Contacts:
    """Return random contacts by time."""
    dice = np.random.default_rng(3)
    source, target = (dice.integers(0, parties, count).astype(np.int32) for _ in range(2))
    return Contacts(source, target, dice.integers(0, ticks, count), None, parties).ordered()


def expanded(table: Contacts) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the static graph in which paths are the walks of a table: a node for each party and tick that it has.

    From, to, and the party of each node; who is at a node can be at the same party's next one, and contacts lead from
    node to node of one tick (instants may chain).
    """
    width = np.int64(int(table.start.max()) + 1)
    source, target = table.source * width + table.start, table.target * width + table.start
    nodes, where = np.unique(np.concatenate((source, target)), return_inverse=True)
    party = nodes // width
    same = np.flatnonzero(party[1:] == party[:-1])
    count = len(source)
    return np.concatenate((where[:count], same)), np.concatenate((where[count:], same + 1)), party


def contacts(count: int) -> bool:
    """Print what one seed's reach costs, here and in graph libraries over the expanded graph; all must agree."""
    table = random_contacts(count, count // 20, count // 10)
    took, ours = warm(lambda: reach(table, 0))
    expected = set(np.flatnonzero(ours.arrival != NEVER).tolist()) | {0}
    print(f"\none seed on {count} contacts: {took * 1e3:.1f} ms, {len(expected) - 1} reached", flush=True)
    spread, (tails, heads, party) = timed(lambda: expanded(table))
    root = int(np.flatnonzero(party == 0)[0])
    edges = np.stack((tails, heads), 1)
    size = len(party)

    def scipy_graph() -> Any:
        return csr_matrix((np.ones(len(tails), np.int8), (tails, heads)), (size, size))

    def rustworkx_graph() -> Any:
        graph = rustworkx.PyDiGraph(node_count_hint=size, edge_count_hint=len(edges))
        graph.add_nodes_from(range(size))
        graph.add_edges_from_no_data(list(map(tuple, edges.tolist())))
        return graph

    def networkx_graph() -> Any:
        graph = nx.DiGraph()
        graph.add_edges_from(edges.tolist())
        return graph

    peers: tuple[tuple[str, Callable[[], Any], Callable[[Any], Any]], ...] = (
        ("scipy", scipy_graph, lambda graph: breadth_first_order(graph, root, return_predecessors=False)),
        (
            "igraph",
            lambda: igraph.Graph(size, edges, directed=True),
            lambda graph: graph.subcomponent(root, mode="out"),
        ),
        ("rustworkx", rustworkx_graph, lambda graph: [*rustworkx.descendants(graph, root), root]),
        ("networkx", networkx_graph, lambda graph: [*nx.descendants(graph, root), root]),
    )
    equal = True
    for name, make, walk in peers:
        build, graph = timed(make)
        asked, found = timed(partial(walk, graph))
        same = set(party[np.asarray(found)].tolist()) == expected
        equal &= same
        print(
            f"  {name:>10}: graph {spread + build:6.2f} s, reach {asked * 1e3:8.1f} ms = {asked / took:6.1f} x ours, "
            f"{'equal' if same else 'DIFFERENT'}",
            flush=True,
        )
    return equal


def all_roots(count: int, parties: int, days: int = 90, sample: int = 100) -> bool:
    """Print what the chains of all parties cost, whole and with a limit on waiting; some roots are asked of igraph."""
    dice = np.random.default_rng(4)
    source, target = (dice.integers(0, parties, count).astype(np.int32) for _ in range(2))
    table = Contacts(source, target, dice.integers(0, days, count), None, parties).ordered()
    took, ours = warm(lambda: summary(table, 0, days), time.perf_counter)
    print(f"\nchains of all {parties} parties, {count} contacts: {took:.3f} s on all processors", flush=True)
    tails, heads, party = expanded(table)
    graph = igraph.Graph(len(party), np.stack((tails, heads), 1), directed=True)
    begin = {int(one): at for at, one in reversed(list(enumerate(party.tolist())))}
    roots = [int(one) for one in dice.choice(sorted(begin), sample, replace=False)]
    asked, found = timed(lambda: [set(party[graph.subcomponent(begin[root], mode="out")].tolist()) for root in roots])
    equal = all(len(one) - 1 == ours.outgoing_contact_chain[root] for root, one in zip(roots, found, strict=True))
    print(
        f"  {'igraph':>10}: {asked:.2f} s for {sample} roots one way, {asked / sample * parties * 2 / took:.0f} x ours for all "
        f"both ways, {'equal' if equal else 'DIFFERENT'}",
        flush=True,
    )
    for wait in (3, 7, 14):
        took, _ = warm(partial(summary, table, 0, days, max_wait=wait), time.perf_counter)
        print(f"  waiting at most {wait:>2} days: {took:.3f} s on all processors", flush=True)
    return equal

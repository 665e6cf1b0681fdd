"""Kill -9 at every transition of every road, more than once: one root a size, nothing lost, FINAL in the end."""

import os
import signal
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from sudonglian.chain import anchor_contract as ac
from sudonglian.chain import anchor_deployment as ad
from sudonglian.records import log, reader
from sudonglian.records.anchor_work import POINTS, SENDS, AnchoringSettings
from sudonglian.records.fsck import fsck

Road = Callable[[Any], None]


def killed_at(world: Any, point: str) -> bool:
    """Anchor in another process, which ends itself by SIGKILL at the point; say whether it came there."""
    world.close()
    child = os.fork()
    if child == 0:
        try:
            other = world.reopen()

            def die(here: str) -> None:
                if here == point:
                    os.kill(os.getpid(), signal.SIGKILL)

            other.advance(at=die)
        except BaseException:  # noqa: BLE001
            traceback.print_exc()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    fresh = world.reopen()
    world.store, world.network, world.keys = fresh.store, fresh.network, fresh.keys
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def check_the_end(world: Any) -> None:
    """One root a size, one contract that counts, all records in the log, all of it final and sound."""
    chain = world.chain()
    blocks = world.network.anchored_blocks(chain.contract, 0)
    finals = world.finals()
    assert finals[0].size == ac.latest(world.network, chain.contract)[0]
    assert [one.block_number for one in reversed(finals)] == [number for number, _ in blocks]
    assert len({one.size for one in finals}) == len(finals)
    with world.store.read() as connection:
        assert log.size(connection) == finals[0].size
        assert all(reader.record(connection, one).log_index is not None for one in world.captured)
    report = fsck(world.store, world.keys, world.network)
    assert report["ok"], report["faults"]


def straight(world: Any) -> None:
    world.grow(2)


def after_another(world: Any) -> None:
    world.grow(2)
    world.advance()
    world.grow(3)


def chain_lost(world: Any) -> None:
    after_another(world)
    world.network.close()
    for name in ("chain.db", "chain.db-wal", "chain.db-shm"):
        (world.folder / name).unlink(missing_ok=True)
    world.network = world.open_network()


def reorged(world: Any) -> None:
    """A chain that is younger than the anchor, as a node that followed another branch would show it."""
    world.grow(2)
    world.advance()
    world.network.copy_to(world.folder / "before.db")
    world.settings = AnchoringSettings(finality_depth=3)
    world.grow()
    world.until("waiting")
    world.network.close()
    for name in ("chain.db-wal", "chain.db-shm"):
        (world.folder / name).unlink(missing_ok=True)
    (world.folder / "before.db").replace(world.folder / "chain.db")
    world.network = world.open_network()
    world.settings = AnchoringSettings()


def nonce_taken(world: Any) -> None:
    after_another(world)
    world.until("signed")
    ad.execute(world.network, world.wallet, b"\x01" * 20, b"")


DEPLOYS = [one for one in POINTS if one.startswith("deploy.") and "stuck" not in one]
ANCHORS = [
    one for one in POINTS if one.startswith("anchor.") and not any(name in one for name in ("stuck", "reorg", "unsig"))
]
PLAIN = [*DEPLOYS, *ANCHORS]
ROADS: list[tuple[Road, str]] = [
    *((straight, one) for one in PLAIN),
    *((after_another, one) for one in ANCHORS),
    *((chain_lost, one) for one in ("chain.lost.before", "chain.lost.after", *DEPLOYS)),
    *((reorged, one) for one in ("anchor.reorged.before", "anchor.reorged.after", "anchor.pushed")),
    *((nonce_taken, one) for one in ("anchor.unsigned.before", "anchor.unsigned.after")),
]


def test_no_point_is_left_out() -> None:
    stuck = {one for one in POINTS if "stuck" in one}
    assert {one for _, one in ROADS} | stuck == set(POINTS), "points of STUCK are killed on anvil"


def times(point: str) -> int:
    """Every point is killed at twice in the quick suite: by two roads, or by one taken twice."""
    return 2 // sum(point == other for _, other in ROADS) or 1


QUICK = [(road, point) for road, point in ROADS for _ in range(times(point))]
named = pytest.mark.parametrize(("road", "point"), QUICK, ids=lambda one: one if isinstance(one, str) else one.__name__)


@named
def test_killed(world: Any, road: Road, point: str) -> None:
    road(world)
    assert killed_at(world, point)
    assert world.advance()[-1] == "idle"
    world.grow()
    assert world.advance()[-1] == "idle"
    check_the_end(world)


@pytest.mark.full
@pytest.mark.parametrize("attempt", range(4))
@named
def test_killed_again(world: Any, road: Road, point: str, attempt: int) -> None:
    for _ in range(attempt):
        world.grow()
    test_killed(world, road, point)


@pytest.mark.postgres
@pytest.mark.parametrize("point", [pytest.param(one, marks=() if one in SENDS else pytest.mark.full) for one in PLAIN])
def test_killed_on_postgres(postgres_world: Any, point: str) -> None:
    straight(postgres_world)
    assert killed_at(postgres_world, point)
    assert postgres_world.advance()[-1] == "idle"
    check_the_end(postgres_world)

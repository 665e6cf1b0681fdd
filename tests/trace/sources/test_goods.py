"""The goods of an answer as deliveries: small flows by hand, and read back as FoodChain-Lab reads them."""

from sudonglian.trace.engine.facts import OPEN_END, Facts, Flow, Party, Place, Stay
from sudonglian.trace.engine.sources.goods import Delivery, goods
from sudonglian.trace.tables import fcl
from sudonglian.trace.tables.fcl_write import encode
from sudonglian.trace.tables.source_answers import sources

BOX, CARTON, LOT, MEAL = (Party("item", name) for name in ("box", "carton", "lot#a", "meal"))
COOKING = Party("process", "cooking")
DAY = 86_400_000_000


def at(who: Party, where: str, start: int, end: int = OPEN_END, kind: str = "location") -> Stay:
    place = Place("interior" if kind == "interior" else "location", where)
    return Stay("at", who, place, start * DAY, end if end == OPEN_END else end * DAY, True, "r", "")


def flow(fact: str, source: Party, target: Party, day: int) -> Flow:
    return Flow(fact, source, target, day * DAY, 1, True, "r")


def delivery(who: Party, source: str, target: str, left: int, came: int) -> Delivery:
    return Delivery(who.id, source, target, left * DAY, came * DAY)


def test_a_box_goes_from_place_to_place() -> None:
    stays = (at(BOX, "a", 1, 2), at(BOX, "a", 2, 3), at(BOX, "b", 4, 6), at(BOX, "c", 7))
    found = goods(Facts(stays=stays), [BOX])
    assert found.places == ("a", "b", "c")
    assert found.deliveries == (delivery(BOX, "a", "b", 3, 4), delivery(BOX, "b", "c", 6, 7))
    assert found.relations == ((0, 1),)
    assert goods(Facts(stays=stays), []).deliveries == ()


def test_what_is_in_a_box_goes_with_it_while_it_is_in_it() -> None:
    stays = (
        at(BOX, "a", 1, 3),
        at(BOX, "b", 4, 6),
        at(BOX, "c", 7),
        at(LOT, "box", 2, 5, "interior"),
        at(CARTON, "lot#a", 2, 5, "interior"),
    )
    found = goods(Facts(stays=stays), [CARTON, LOT])
    assert found.deliveries == (delivery(CARTON, "a", "b", 3, 4), delivery(LOT, "a", "b", 3, 4))
    assert found.relations == ()


def test_what_is_made_of_goods_follows_them() -> None:
    facts = Facts(
        stays=(at(BOX, "a", 1, 2), at(BOX, "b", 3, 4), at(MEAL, "b", 4, 5), at(MEAL, "c", 6)),
        flows=(flow("input", BOX, COOKING, 3), flow("output", COOKING, MEAL, 4)),
    )
    found = goods(facts, [BOX, MEAL])
    assert found.deliveries == (delivery(BOX, "a", "b", 2, 3), delivery(MEAL, "b", "c", 5, 6))
    assert found.relations == ((0, 1),)


def test_a_split_elsewhere_is_a_delivery() -> None:
    facts = Facts(stays=(at(BOX, "a", 1, 3), at(LOT, "b", 4)), flows=(flow("split", BOX, LOT, 2),))
    found = goods(facts, [BOX, LOT])
    assert found.deliveries == (delivery(LOT, "a", "b", 3, 4),)


def test_what_is_written_is_read() -> None:
    stays = (at(BOX, "a", 1, 3), at(BOX, "b", 4, 6), at(BOX, "c", 7))
    raw = encode(goods(Facts(stays=stays), [BOX]), {"c"}, {0}, {"box": "lot"})
    read = fcl.read(raw)
    assert (read.stations, read.deliveries, read.unread) == (("a", "b", "c"), ("D1", "D2"), ())
    assert (read.network.arrived - read.network.departed).tolist() == [1, 1]
    assert {row["id"]: row["score"] for row in sources(raw)["stations"]} == {"a": 1.0, "b": 0.5, "c": 0.5}

"""Scores and reach of stations and deliveries, held against the definitions read word for word."""

import json
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from sudonglian.trace.engine.sources.network import EVER, Network
from sudonglian.trace.engine.sources.score import Sources, Weights
from sudonglian.trace.engine.sources.score import sources as sources_of
from sudonglian.trace.tables.source_answers import sources

from .literal import answer, network

WORLDS = 1_500


def ask(document: dict[str, Any], **asked: Any) -> dict[str, Any]:
    return sources(json.dumps(document).encode(), **asked)


def scores(told: dict[str, Any], kind: str = "stations") -> dict[str, float]:
    return {row["id"]: row["score"] for row in told[kind]}


def settled(told: dict[str, Any]) -> dict[str, Any]:
    """Return an answer with its likelihoods as far as sums in another order agree."""
    rows = {
        kind: [{**row, "likelihood": round(row["likelihood"], 9)} for row in told[kind]]
        for kind in ("stations", "deliveries")
    }
    return {**told, **rows}


def world(chance: random.Random) -> dict[str, Any]:
    stations = [f"s{number}" for number in range(chance.randint(1, 5))]
    days = [None, "2020", "2020-01", "2020-01-02", "2020-01-03", "2020-01-04", "2020-02-01", "2021-01-01"]
    deliveries: list[dict[str, Any]] = [
        {
            "ID": f"d{number}",
            "from": chance.choice(stations),
            "to": chance.choice(stations),
            "Date Delivery": chance.choice(days),
            "Date Delivery Arrival": chance.choice(days),
        }
        for number in range(chance.randint(0, 8))
    ]
    meet = [(one["ID"], other["ID"]) for one in deliveries for other in deliveries if one["to"] == other["from"]]
    relations = chance.choices(meet, k=chance.randint(0, 6)) if meet else []
    groups = [{"id": "g", "members": chance.sample(stations, chance.randint(1, len(stations)))}]

    def traced(names: list[str], often: float) -> list[dict[str, Any]]:
        return [
            {
                "id": name,
                "weight": chance.choice([None, 0, 1, 1, 2, 0.1, 0.2, -1, -0.3]),
                "crossContamination": chance.random() < often,
                "killContamination": chance.random() < 0.15,
                "observed": False,
            }
            for name in names
            if chance.random() < 0.7
        ]

    names = [one["ID"] for one in deliveries]
    return network(
        stations,
        deliveries,
        relations,
        traced([*stations, "g"], 0.3),
        traced(names, 0.4),
        groups * chance.randint(0, 1) or [{"id": "g", "members": []}],
    )


def test_as_the_definitions_say() -> None:
    chance = random.Random(20_261_124)
    links = listed = 0
    for _ in range(WORLDS):
        document, everywhere = world(chance), chance.random() < 0.3
        told, due = ask(document, cross_contamination=everywhere), answer(document, everywhere)
        assert settled(told) == settled(due), json.dumps(document)
        links += sum(row["common_link"] for row in told["stations"])
        listed += sum(len(row["forward"]) for row in told["deliveries"])
    assert links > WORLDS / 10
    assert listed > WORLDS


def chain(*more: dict[str, Any], **dates: tuple[str, str]) -> list[dict[str, Any]]:
    """Return farm → plant → shops one and two, the second shop's delivery also from the plant."""
    rows = [
        {"ID": "milk", "from": "farm", "to": "plant"},
        {"ID": "one", "from": "plant", "to": "shop1"},
        {"ID": "two", "from": "plant", "to": "shop2"},
        *more,
    ]
    for row in rows:
        row["Date Delivery"], row["Date Delivery Arrival"] = dates.get(row["ID"], (None, None))
    return rows


PLACES = ("farm", "plant", "shop1", "shop2")
CASES = ({"id": "shop1", "weight": 1}, {"id": "shop2", "weight": 1})


def test_a_common_link() -> None:
    told = ask(network(PLACES, chain(), [("milk", "one"), ("milk", "two")], CASES))
    assert scores(told) == {"farm": 1.0, "plant": 1.0, "shop1": 0.5, "shop2": 0.5}
    assert scores(told, "deliveries") == {"milk": 1.0, "one": 0.5, "two": 0.5}
    assert [row["id"] for row in told["stations"] if row["common_link"]] == ["farm", "plant"]
    plant = dict(told["stations"][1])
    # Two findings, both among the three that the plant reaches; of the four stations one in twenty comes from anywhere.
    each = {"farm": 4, "plant": 3, "shop1": 1, "shop2": 1}
    chances = [
        (0.95 / each[one] + 0.05 / 4) ** 2 if each[one] > 1 else (0.95 + 0.05 / 4) * (0.05 / 4) for one in PLACES
    ]
    assert plant.pop("likelihood") == pytest.approx(chances[1] / sum(chances))
    assert plant.pop("likelihood_rank") == 1
    assert plant == {
        "id": "plant",
        "score": 1.0,
        "common_link": True,
        "forward": ["shop1", "shop2"],
        "backward": ["farm"],
    }
    assert told["deliveries"][0]["forward"] == ["one", "two"]
    assert told["sums"] == {"station_score": 3.0, "delivery_score": 2.0}


def test_of_two_that_reach_what_was_found_the_one_that_reaches_less_else_is_likelier() -> None:
    """The depot supplies both shops and eight clean-handed others, the baker the two shops alone: both are common links."""
    others = [f"other{number}" for number in range(8)]
    rows = [
        *({"ID": f"a{shop}", "from": "depot", "to": shop} for shop in ("shop1", "shop2", *others)),
        *({"ID": f"b{shop}", "from": "baker", "to": shop} for shop in ("shop1", "shop2")),
    ]
    stations = ("depot", "baker", "shop1", "shop2", *others)
    told = {row["id"]: row for row in ask(network(stations, rows, [], CASES))["stations"]}
    assert told["depot"]["common_link"] is told["baker"]["common_link"] is True
    assert (told["baker"]["likelihood_rank"], told["depot"]["likelihood_rank"]) == (1, 2)
    assert sum(row["likelihood"] for row in told.values()) == pytest.approx(1)
    clean = [{"id": one, "weight": -1} for one in others[:2]]
    again = {row["id"]: row for row in ask(network(stations, rows, [], clean))["stations"]}
    # What was clean speaks against whoever reaches it: one half for each.
    assert again["baker"]["likelihood"] / again["depot"]["likelihood"] == pytest.approx(4)


def test_all_that_may_be_found_next_adds_up_to_one() -> None:
    """Whatever the source, the chances of the next finding over all stations sum to one: the model loses nothing."""
    stations, rows = PLACES, chain()
    told = [
        {
            row["id"]: row["likelihood"]
            for row in ask(network(stations, rows, [("milk", "one")], [{"id": one, "weight": 1}]))["stations"]
        }
        for one in stations
    ]
    # One finding: L(source) = P(finding | source), of which `likelihood` is the share; undo the shares by the source
    # that reaches itself alone, whose chance to be found itself is 0.95 + 0.05 / 4.
    scale = [
        (0.95 + 0.05 / 4 if one == "shop2" else 0.05 / 4) / row["shop2"]
        for one, row in zip(stations, told, strict=True)
    ]
    for source in stations:
        assert sum(row[source] * by for row, by in zip(told, scale, strict=True)) == pytest.approx(1)


def test_what_is_not_known_to_go_on_does_not() -> None:
    told = ask(network(PLACES, chain(), [("milk", "one")], CASES))
    assert scores(told) == {"farm": 0.5, "plant": 1.0, "shop1": 0.5, "shop2": 0.5}
    everywhere = ask(network(PLACES, chain(), [("milk", "one")], CASES), cross_contamination=True)
    assert scores(everywhere)["farm"] == 1.0


@pytest.mark.parametrize(
    ("arrived", "left", "due"),
    [
        ("2020-05-02", "2020-05-02", 1.0),
        ("2020-05-03", "2020-05-02", 0.0),
        ("2020-05", "2020-05-02", 1.0),
        ("03.05.2020", "2020-05", 1.0),
        ("2020-06", "2020-05", 0.0),
        (None, "2020-05-02", 1.0),
        ("2020-05-03", "", 1.0),
    ],
)
def test_mixing_in_the_order_of_days(arrived: str | None, left: str | None, due: float) -> None:
    dates = {"milk": ("", arrived), "one": (left, ""), "two": ("2019-01-01", "")}
    told = ask(
        network(PLACES, chain(**dates), [], [CASES[0], {"id": "plant", "crossContamination": True}])  # type: ignore[arg-type]
    )
    assert scores(told)["farm"] == due


def test_what_is_known_to_go_on_does_whatever_its_day() -> None:
    dates = {"milk": ("2020-05-03", "2020-05-03"), "one": ("2020-05-01", "2020-05-01")}
    told = ask(network(PLACES, chain(**dates), [("milk", "one")], CASES[:1]), cross_contamination=True)
    assert scores(told)["farm"] == 1.0


def test_negative_weights_count_against() -> None:
    rows = [CASES[0], {"id": "shop2", "weight": -0.5}]
    told = ask(network(PLACES, chain(), [("milk", "one"), ("milk", "two")], rows))
    assert scores(told) == {"farm": 0.5, "plant": 0.5, "shop1": 1.0, "shop2": -0.5}


def test_tenths_add_up_to_a_whole() -> None:
    stations = [f"s{number}" for number in range(11)]
    rows = [{"ID": str(number), "from": "s0", "to": f"s{number}"} for number in range(1, 11)]
    weights = [{"id": f"s{number}", "weight": 0.1} for number in range(1, 11)]
    told = ask(network(stations, rows, [], weights))
    assert told["stations"][0]["common_link"] is True  # ten binary tenths are less than one
    huge = [{"id": f"s{number}", "weight": 1e300 if number % 2 else 1e-300} for number in range(1, 11)]
    assert ask(network(stations, rows, [], huge))["stations"][0]["common_link"] is True


@pytest.mark.parametrize(
    ("nodes", "traced", "due"),
    [
        ([{"id": "plant", "killContamination": True}], [], (0.0, 1.0, 0.0)),
        ([], [{"id": "milk", "killContamination": True}], (0.0, 1.0, 0.0)),
        ([], [{"id": "one", "killContamination": True}], (1.0, 1.0, 1.0)),
        ([{"id": "plant", "killContamination": True, "crossContamination": True}], [], (0.0, 1.0, 0.0)),
    ],
)
def test_kills(nodes: list[Any], traced: list[Any], due: tuple[float, float, float]) -> None:
    told = ask(network(PLACES, chain(), [("milk", "one")], [CASES[0], *nodes], traced), cross_contamination=False)
    assert (scores(told)["farm"], scores(told)["plant"], scores(told, "deliveries")["milk"]) == due
    assert told["stations"][0]["forward"][:1] == ["plant"]


def test_a_cycle_counts_everything_once() -> None:
    rows = [{"ID": f"d{number}", "from": f"s{number}", "to": f"s{(number + 1) % 4}"} for number in range(4)]
    relations = [(f"d{number}", f"d{(number + 1) % 4}") for number in range(4)]
    told = ask(network([f"s{number}" for number in range(4)], rows, relations, [{"id": "s2", "weight": 3}]))
    assert set(scores(told).values()) == set(scores(told, "deliveries").values()) == {1.0}
    assert all(len(row["forward"]) == len(row["backward"]) == 3 for row in told["stations"] + told["deliveries"])


def long_chain(length: int, most: int) -> Sources:
    numbers = np.arange(length, dtype=np.int32)
    none = np.zeros(length, np.bool_)
    whole = Network(
        length + 1,
        numbers,
        numbers + np.int32(1),
        np.full(length, EVER),
        np.full(length, -EVER),
        numbers[:-1],
        numbers[1:],
        np.zeros(length + 1, np.bool_),
        np.zeros(length + 1, np.bool_),
        none,
        none,
    )
    return sources_of(whole, Weights({length: Fraction(1)}, {}), most)


def test_chains_of_any_length() -> None:
    found = long_chain(1_000_000, 1_000)
    assert set(found.stations.totals) == set(found.deliveries.totals) == {found.stations.whole}
    assert found.stations.forward is None
    listed = long_chain(2_000, 2_001_000)
    assert listed.stations.forward is not None
    assert listed.stations.forward.of(1).tolist() == list(range(2, 2_001))
    assert long_chain(2_000, 2_000_999).stations.forward is None


def test_a_hub_that_mixes_everything() -> None:
    count = 30_000
    rows = [{"ID": f"in{number}", "from": "a", "to": "hub"} for number in range(count)]
    rows += [{"ID": f"out{number}", "from": "hub", "to": "b"} for number in range(count)]
    told = ask(network(["a", "hub", "b"], rows, [], [{"id": "b", "weight": 1}]), cross_contamination=True)
    assert told["sums"] == {"station_score": 3.0, "delivery_score": 2.0 * count}
    assert told["notes"] == [{"place": "deliveries", "note": "lists-too-long"}]
    assert told["deliveries"][0]["forward"] is None
    assert told["stations"][0]["forward"] == ["hub", "b"]


def test_groups_speak_for_their_members() -> None:
    groups: list[dict[str, Any]] = [
        {"id": "shops", "members": ["shop1", "shop2"]},
        {"id": "G", "name": "x", "type": None, "members": ["plant"]},
    ]
    nodes = [{"id": "shops", "weight": 2}, {"id": "G", "crossContamination": True}]
    told = ask(network(PLACES, chain(), [], nodes, [], groups))
    # Reaching both members counts once, as it does where the group is drawn as one.
    assert scores(told) == {"farm": 1.0, "plant": 1.0, "shop1": 1.0, "shop2": 1.0}


def test_no_weights_no_links() -> None:
    told = ask(network(PLACES, chain(), [("milk", "one")]))
    assert set(scores(told).values()) == {0.0}
    assert not any(row["common_link"] for row in told["stations"])
    assert ask(network([], [])) == {
        "stations": [],
        "deliveries": [],
        "sums": {"station_score": 0.0, "delivery_score": 0.0},
    }

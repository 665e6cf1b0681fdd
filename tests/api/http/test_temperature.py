"""Temperatures over HTTP: all of them to who traces, a firm's own to the firm, the verdict alone to anybody."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.api.http.conftest import deployed, make_keys, start, stop

PALLET = "https://id.gs1.org/00/395200010000000097"
LOT = f"/lots/{quote(PALLET, safe='')}"


def event(time: str, step: str, value: float, number: int) -> dict[str, Any]:
    return {
        "@context": {"sdl": "urn:sudonglian:ns:1:"},
        "type": "ObjectEvent",
        "action": "OBSERVE",
        "bizStep": step,
        "eventTime": f"2026-01-05T{time}:00Z",
        "eventTimeZoneOffset": "+00:00",
        "eventID": f"urn:uuid:6f0b2f3a-7777-4c3e-9f43-00000000000{number}",
        "epcList": [PALLET],
        "sdl:temperatureClass": "frozen",
        "sensorElementList": [
            {
                "sensorMetadata": {"time": f"2026-01-05T{time}:00Z", "deviceID": "urn:x:logger"},
                "sensorReport": [{"type": "Temperature", "value": value, "uom": "CEL"}],
            }
        ],
    }


@pytest.fixture
def taken(served: Any) -> Any:
    """A server with a leg that two firms recorded: the first fine, the second too warm."""
    for role, one in (("firm", event("08:00", "shipping", -20, 1)), ("other", event("08:30", "receiving", -10.5, 2))):
        answer = served.ask("POST", "/epcis/v2/events", one, token=role)
        assert answer.status in (200, 201), answer
    return served


def test_who_traces_sees_all_of_it(taken: Any) -> None:
    told = taken.ask("GET", f"{LOT}/temperature", token="tracer").json
    assert (told["verdict"], told["max_c"], told["class"]["name"], len(told["legs"])) == (
        "excursion",
        -10.5,
        "frozen",
        1,
    )
    other = taken.ask("GET", f"{LOT}/temperature?class=vaccine", token="tracer").json
    assert (other["class_from"], other["excursions"][0]["side"]) == ("asked", "below")
    curve = taken.ask("GET", f"{LOT}/temperature.svg?lang=en", token="tracer")
    assert (curve.status, curve.headers["content-type"]) == (200, "image/svg+xml")
    assert b"upper limit -18" in curve.body
    table = taken.ask("GET", f"{LOT}/temperature.csv", token="tracer")
    assert table.body.decode("utf-8-sig").count("urn:x:logger") == 2
    history = taken.ask("GET", f"{LOT}/history", token="tracer").json
    assert history["temperature"]["verdict"] == "excursion"


def test_a_server_judges_by_the_thresholds_of_its_installation(tmp_path: Path) -> None:
    stricter = tmp_path / "ours.json"
    stricter.write_text(
        '{"classes": {"frozen": {"upper_c": "-21"}, "tuna": {"zh": "金枪鱼", "en": "tuna", "upper_c": "-50"}}}'
    )
    with deployed(tmp_path / "data", None) as (store, _, env):
        tokens = make_keys(store)
        running = start(tmp_path / "data", SUDONGLIAN_THRESHOLDS=str(stricter), **env)
        try:
            running.tokens = tokens
            one = event("08:00", "shipping", -20, 1)
            assert running.ask("POST", "/epcis/v2/events", one, token="firm").status == 201
            listed = {one["name"]: one["upper_c"] for one in running.ask("GET", "/temperature/classes").json["classes"]}
            assert (listed["frozen"], listed["tuna"], listed["chilled"]) == ("-21", "-50", "8")
            told = running.ask("GET", f"{LOT}/temperature", token="tracer").json
            assert (told["verdict"], told["class"]["upper_c"]) == ("excursion", "-21")
            assert running.ask("GET", f"{LOT}/temperature?class=tuna", token="tracer").json["class"]["name"] == "tuna"
            assert running.ask("GET", f"{LOT}/temperature/own", token="firm").json["verdict"] == "excursion"
            assert running.ask("GET", f"{LOT}/temperature/verdict").json["verdict"] == "excursion"
            history = running.ask("GET", f"{LOT}/history", token="tracer").json
            assert history["temperature"]["verdict"] == "excursion"
            item = running.ask("GET", PALLET.replace("https://id.gs1.org", "/item.json")).json
            assert item["temperature"]["verdict"] == "excursion"
            curve = running.ask("GET", f"{LOT}/temperature.svg?lang=en", token="tracer")
            assert b"upper limit -21" in curve.body
        finally:
            assert stop(running) == 0


def test_a_firm_sees_what_its_own_records_show(taken: Any) -> None:
    told = taken.ask("GET", f"{LOT}/temperature/own", token="firm").json
    assert (told["readings"], told["max_c"]) == (1, -20)
    seen = taken.ask("GET", f"{LOT}/temperature", token="tracer").json
    hashes = {record for logger in seen["loggers"] for record in logger["records"]}
    answers = {one: taken.ask("GET", f"/records/{one}/temperature", token="firm").status for one in hashes}
    assert sorted(answers.values()) == [200, 403]


def test_anybody_sees_the_verdict_and_nothing_else(taken: Any) -> None:
    answer = taken.ask("GET", f"{LOT}/temperature/verdict")
    assert answer.json == {
        "about": PALLET,
        "verdict": "excursion",
        "sentence": {"zh": "冷链温度：有超出要求的记录", "en": "Cold chain: it was outside its limits"},
        "class": "frozen",
    }
    for path in ("temperature", "temperature.svg", "temperature.csv", "temperature/own"):
        assert taken.ask("GET", f"{LOT}/{path}").status == 401


@pytest.mark.parametrize(
    ("path", "role", "status"),
    [
        (f"{LOT}/temperature?class=warm", "tracer", 400),
        (f"{LOT}/temperature?lang=zh", "tracer", 400),
        ("/lots/nothing/temperature", "tracer", 400),
        ("/lots/urn%3Ax%3Anobody/temperature.svg", "tracer", 404),
        (f"/records/{'0' * 64}/temperature", "firm", 404),
    ],
)
def test_refusals(taken: Any, path: str, role: str, status: int) -> None:
    assert taken.ask("GET", path, token=role).status == status

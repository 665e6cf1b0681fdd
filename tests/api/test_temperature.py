"""The command that tells temperatures: of a lot, of a record, of files; its table and its curve; refusals by name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from sudonglian.api import temperature_curve
from sudonglian.api.commands import sample
from sudonglian.api.temperature_curve import draw
from sudonglian.records.temperature import told
from sudonglian.records.temperature.classes import known
from sudonglian.trace.engine.pictures.svg import width_of

Run = Callable[..., Any]

STORY = sample.stories()["frozen-fish"]
PALLET = STORY["seed"]
OTHER_PALLET = "https://id.gs1.org/00/395200010000000035"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """The sample's documents, as files."""
    found = []
    for name, raw in sample.documents("frozen-fish").items():
        (tmp_path / name).write_bytes(raw)
        found.append(str(tmp_path / name))
    return found


@pytest.fixture
def loaded(run: Run) -> Run:
    """A deployment with the sample in it."""
    assert run("sample", "load").code == 0
    return run


def test_a_lot_of_the_store_and_of_files_is_told_alike(loaded: Run, files: list[str]) -> None:
    stored = loaded("temperature", PALLET, "--json")
    filed = loaded("temperature", *files, "--lot", PALLET, "--json")
    assert stored.code == filed.code == 1
    for one in (stored, filed):
        [report] = one.json["reports"]
        assert (one.json["verdict"], report["verdict"], report["class"]["name"]) == ("excursion", "excursion", "frozen")
        assert (report["class_from"], report["max_c"], report["mkt_c"]) == ("declared", -17.6, -19.8)
        assert report["excursion_s"] == {"at_least": 0, "at_most": 4200}
    assert len(stored.json["reports"][0]["excursions"][0]["records"][0]) == 64
    assert filed.json["reports"][0]["excursions"][0]["records"] == ["04-market.json#2"]


def test_files_need_no_store(run: Run, files: list[str], tmp_path: Path) -> None:
    done = run("temperature", *files, "--json")
    assert done.code == 1
    assert {PALLET, OTHER_PALLET} <= {one["about"] for one in done.json["reports"]}
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("extra", "code"),
    [([], 1), (["--class", "chilled"], 1), (["--class", "meat-chilled"], 2), (["--class", "frozen-eu"], 1)],
)
def test_the_exit_code_is_the_verdict(run: Run, files: list[str], extra: list[str], code: int) -> None:
    assert run("temperature", *files, "--lot", PALLET, *extra).code == code


def test_within_is_done(run: Run, tmp_path: Path) -> None:
    series = [
        {
            "sensorMetadata": {"time": f"2026-01-05T0{hour}:00:00Z", "deviceID": "urn:x:1"},
            "sensorReport": [{"type": "Temperature", "value": -18, "uom": "CEL"}],
        }
        for hour in range(3)
    ]
    event = {
        "type": "ObjectEvent", "action": "OBSERVE", "bizStep": "receiving", "eventTime": "2026-01-05T02:00:00Z",
        "eventTimeZoneOffset": "+00:00", "epcList": [PALLET], "sensorElementList": series,
    }  # fmt: skip
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event))
    assert run("temperature", str(file)).code == 2  # nobody says what kind of goods it is
    assert run("temperature", str(file), "--class", "frozen").code == 0
    stricter = tmp_path / "ours.json"
    stricter.write_text(
        '{"classes": {"frozen": {"upper_c": "-18.1"}, "ice": {"zh": "冰淇淋", "en": "ice cream", "upper_c": "-18"}}}'
    )
    assert run("temperature", str(file), "--class", "frozen", "--thresholds", str(stricter)).code == 1
    done = run("temperature", str(file), "--class", "ice", "--thresholds", str(stricter), "--lang", "zh")
    assert (done.code, "全程符合冰淇淋要求（-18 ℃ 及以下）" in done.out) == (0, True)


def test_words_in_both_languages(loaded: Run) -> None:
    english = loaded("temperature", PALLET, "--lang", "en")
    assert "Outside -18 °C or below (frozen); excursions: 1, at most 1 h 10 min" in english.out
    assert "mean kinetic temperature -19.80 °C" in english.out
    chinese = loaded("temperature", PALLET, "--lang", "zh")
    assert "不符合冷冻要求（-18 ℃ 及以下）：超出 1 次" in chinese.out
    assert "没有给出校准有效期" in chinese.out


def test_a_record_by_its_hash_and_what_show_and_history_say(loaded: Run) -> None:
    [report] = loaded("temperature", PALLET, "--json").json["reports"]
    record = report["excursions"][0]["records"][0]
    done = loaded("temperature", record, "--class", "frozen", "--json")
    assert (done.code, done.json["reports"][0]["max_c"], done.json["reports"][0]["legs"]) == (1, -17.6, [])
    shown = loaded("show", record, "--disclose", "sensorElementList", "--json").json
    assert (shown["temperature"]["verdict"], shown["temperature"]["max_c"]) == ("no-class", -17.6)
    assert "temperature" not in loaded("show", record, "--json").json
    history = loaded("history", PALLET, "--json").json
    assert (history["temperature"]["verdict"], history["temperature"]["class"]) == ("excursion", "frozen")
    assert "Outside -18 °C" in loaded("history", PALLET).out


def test_the_table_and_the_curve_are_written(loaded: Run, tmp_path: Path) -> None:
    table, curve = tmp_path / "t.csv", tmp_path / "t.svg"
    assert loaded("temperature", OTHER_PALLET, "--csv", str(table), "--svg", str(curve), "--lang", "en").code == 1
    lines = table.read_text("utf-8-sig").splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("logger,measured,start")
    root = ElementTree.fromstring(curve.read_bytes())
    words = [one.text for one in root.iter() if one.text]
    assert "upper limit -18 °C" in words
    assert "not measured" in words
    assert "!1" in words
    assert root.get("role") == "img"
    assert "Outside -18 °C" in (root.get("aria-label") or "")
    assert not any("://" in (one.get("href") or "") for one in root.iter())


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 64, ""),
        (["nothing"], 64, "no identifier"),
        ([PALLET, "--class", "warm"], 64, "there are chilled"),
        ([PALLET, "--lot", PALLET], 64, "--lot"),
        ([PALLET, "--thresholds", "absent.json"], 64, "absent.json"),
        ([PALLET, "--svg", "absent/x.svg"], 64, "folder"),
        ([PALLET, OTHER_PALLET, "--csv", "x.csv"], 64, "say --lot"),
        (["0" * 64], 1, "hash"),
    ],
)
def test_refusals(loaded: Run, arguments: list[str], code: int, words: str) -> None:
    done = loaded("temperature", *arguments, "--lang", "en")
    assert done.code == code
    assert words in done.err


def test_a_looser_class_is_refused_with_its_place(run: Run, files: list[str], tmp_path: Path) -> None:
    file = tmp_path / "looser.json"
    file.write_text('{"classes": {"frozen": {"upper_c": -12}}}')
    done = run("temperature", files[0], "--thresholds", str(file), "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "temperature-class")
    assert done.json["error"]["place"] == f"{file}/classes/frozen"


def test_nothing_to_draw_is_said(run: Run, files: list[str], tmp_path: Path) -> None:
    exporter = next(one for one in files if one.endswith("01-exporter.json"))
    done = run("temperature", exporter, "--lot", PALLET, "--svg", str(tmp_path / "x.svg"), "--lang", "en")
    assert (done.code, "no temperature to draw" in done.err) == (64, True)


def test_a_doubtful_digit_is_pointed_out(loaded: Run) -> None:
    done = loaded("temperature", "https://id.gs1.org/00/395200010000000029", "--lang", "en")
    assert (done.code, "check digit must be 8" in done.err) == (2, True)


@pytest.mark.parametrize("width", [temperature_curve.WIDE, temperature_curve.NARROW])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_picture_keeps_within_its_width(files: list[str], width: int, lang: Any) -> None:
    events = told.events_of([(Path(one).name, Path(one).read_bytes()) for one in files])
    for report in told.of_files(events, kind=known()["frozen"]):
        picture = draw(report, lang, width)
        assert picture is not None
        root = ElementTree.fromstring(str(picture.within("temperature")))
        for one in root.iter():
            if one.tag.endswith("rect") and one.get("x"):
                assert 0 <= int(one.get("x", "")) <= int(one.get("x", "")) + int(one.get("width", "")) <= width
            if one.tag.endswith("text") and one.text:
                wide = width_of(one.text, 12)
                x, anchor = int(one.get("x", "")), one.get("text-anchor", "start")
                left = {"start": x, "middle": x - wide / 2, "end": x - wide}[anchor]
                assert -6 <= left <= left + wide <= width + 6, (one.text, left, wide)


def test_ten_days_of_minutes_is_a_picture_of_some_kilobytes_that_loses_no_peak() -> None:
    start = 1_767_542_400
    series = [
        {
            "sensorMetadata": {"deviceID": "urn:x:1"},
            "sensorReport": [
                {
                    "type": "Temperature",
                    "time": _utc(start + 60 * minute),
                    "value": -12 if minute == 7_001 else -20,
                    "uom": "CEL",
                }
                for minute in range(14_400)
            ],
        }
    ]
    event = {
        "type": "ObjectEvent", "action": "OBSERVE", "bizStep": "receiving", "eventTime": _utc(start + 14_400 * 60),
        "eventTimeZoneOffset": "+00:00", "epcList": [PALLET], "sensorElementList": series,
    }  # fmt: skip
    [report] = told.of_files(told.events_of([("f", json.dumps(event).encode())]), kind=known()["frozen"])
    drawn = temperature_curve.alone(report, "en")
    assert drawn is not None
    assert len(drawn) < 200_000
    assert report.as_json()["excursions"][0]["peak_c"] == -12
    [polyline] = [one for one in ElementTree.fromstring(drawn).iter() if one.tag.endswith("polyline")]
    heights = [int(one.partition(",")[2]) for one in polyline.get("points", "").split()]
    assert max(heights) - min(heights) > 150


def _utc(second: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(second, UTC).isoformat()


def test_a_clerks_sheet_says_which_class_the_goods_are_of(run: Run, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    sheet.write_text(
        "交接编号,业务步骤,时间,地点,货物编码,批号,数量,单位,产品类别,温度\n"
        "A1,发货,2026-01-05 08:30,9520001001017,09520001002014,L7,20,箱,冷冻,-20\n"
        "A2,收货,2026-01-05 09:20,9520001001031,09520001002014,L7,20,箱,冷冻,-17.5\n"
    )
    assert run("import", str(sheet), "--submitter", "https://id.gs1.org/417/9520001001031").code == 0
    done = run("temperature", "https://id.gs1.org/01/09520001002014/10/L7", "--json")
    [report] = done.json["reports"]
    assert (done.code, report["class"]["name"], report["class_from"]) == (1, "frozen", "declared")
    assert (report["readings"], report["excursions"][0]["peak_c"], report["excursions"][0]["at_most_s"]) == (
        2,
        -17.5,
        None,
    )
    assert report["gaps"] == []

"""What people do wrong, and what they are told: what, where and what to do, with the exit code that fits."""

import socket
from pathlib import Path
from typing import Any

import pytest

from sudonglian.api.commands import sample
from sudonglian.api.errors import UsageRefused
from sudonglian.api.parsing import identifier_of, seed_of

STORY = sample.stories()["frozen-fish"]
AT = ("--at", STORY["at"], "--purpose", "p")


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("(00)395200010000000028", STORY["seed"]),
        (" (00)395200010000000028\n", STORY["seed"]),
        ("urn:epc:id:sscc:9520001.3000000002", STORY["seed"]),
        (f"  {STORY['seed']} ", STORY["seed"]),
        ("(01)09520001002014(10)BJ241018", STORY["lot"]),
        ("(01)09520001002014(17)251018(10)BJ241018", STORY["lot"]),
        ("(10)BJ241018(01)09520001002014", STORY["lot"]),
        ("(414)9520001001031(254)dock", "https://id.gs1.org/414/9520001001031/254/dock"),
        ("(01)09520001002014(10)A/1", "https://id.gs1.org/01/09520001002014/10/A%2F1"),
        ("urn:x:anything", "urn:x:anything"),
    ],
)
def test_identifiers_are_taken_as_people_have_them(written: str, normal: str) -> None:
    assert identifier_of(written, "LOT") == normal


@pytest.mark.parametrize(
    "written",
    ["", " ", "pallet 2", "395200010000000028", "00395200010000000028", "(17)251018", "(00)39520001", "(99)x",
     "https://id.gs1.org/00/39520001 0000000028", "带鱼-0012", "person:4"[6:], ":x"],
)  # fmt: skip
def test_what_is_no_identifier_is_refused_with_the_ways_to_write_one(written: str) -> None:
    with pytest.raises(UsageRefused) as refused:
        identifier_of(written, "LOT")
    assert refused.value.place == "LOT"
    assert "https://id.gs1.org/00/" in refused.value.reason


def test_a_person_is_a_number() -> None:
    assert seed_of(" 42 ", "SEED") == seed_of("person:42", "SEED") == "person:42"
    with pytest.raises(UsageRefused):
        seed_of("person:Zhang", "SEED")


def test_names_that_nobody_could_have_captured_are_wrong_usage_everywhere(run: Any, tmp_path: Path) -> None:
    out = str(tmp_path / "b.json")
    for asked in (
        ("history", "pallet 2"),
        ("bundle", "--lot", "pallet 2", "-o", out),
        ("trace", "pallet 2", *AT),
        ("trace", STORY["lot"], "--place", "the market", *AT),
        ("trace", STORY["seed"], "--why", "the driver", *AT),
    ):
        done = run(*asked, "--json")
        assert done.code == 64, asked
        assert done.json["error"]["code"] == "usage"
        assert done.json["error"]["place"]
    assert not Path(out).exists()


def test_a_mistyped_number_is_pointed_out(run: Any, tmp_path: Path) -> None:
    assert run("sample", "load").code == 0
    assert run("anchor").code == 0
    wrong = STORY["seed"][:-1] + "9"
    for asked in (("history", wrong), ("bundle", "--lot", wrong, "-o", str(tmp_path / "b.json"))):
        done = run(*asked)
        assert done.code == 0
        assert "the check digit must be 8" in done.err
    traced = run("trace", wrong, *AT, "--lang", "zh")
    assert traced.code == 1
    assert "校验位应为 8" in traced.err
    phone = run("trace", "19900000505", *AT)
    assert (phone.code, "19900000505" in phone.err) == (64, False)
    assert "a person is asked for by the number" in phone.err


def test_a_sample_from_the_future_is_remarked_upon(run: Any) -> None:
    assert run("sample", "load").code == 0
    assert "in the future" in run("trace", STORY["seed"], "--at", "2999-01-01T00:00:00Z", "--purpose", "p").err
    assert "in the future" not in run("trace", STORY["seed"], *AT).err


def test_a_blank_purpose_is_none(run: Any) -> None:
    assert run("trace", STORY["seed"], "--at", STORY["at"], "--purpose", "  ").code == 64
    assert run("trace", STORY["seed"], "--at", STORY["at"], "--purpose", "  ", "--case", "C-1").code == 1  # no records


def test_a_file_that_cannot_be_written_is_refused_before_the_work(run: Any, tmp_path: Path) -> None:
    assert run("sample", "load").code == 0
    waiting = run("status", "--json").json["pending"]
    nowhere, folder = str(tmp_path / "nowhere" / "x"), str(tmp_path)
    for asked in (
        ("trace", STORY["seed"], *AT, "--graphml"),
        ("bundle", "--lot", STORY["seed"], "-o"),
        ("trust", "add", "-o"),
        ("monitor", "http://127.0.0.1:1", "--once", "--state"),
    ):
        missing = run(*asked, nowhere)
        assert (missing.code, "its folder is not there" in missing.err) == (64, True), asked
        taken = run(*asked, folder)
        assert (taken.code, "is a folder" in taken.err) == (64, True), asked
    assert run("status", "--json").json["pending"] == waiting  # no trace has sealed anything


def test_a_data_folder_that_is_a_file(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    done = run("--data-dir", str(file), "status")
    assert (done.code, "the data folder must be a folder" in done.err) == (64, True)


def test_a_port_that_is_taken(run: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("serve", "--port", port)
    assert (done.code, f"127.0.0.1:{port}" in done.err, "choose another --port" in done.err) == (64, True, True)


def test_choices_are_named_without_noise(run: Any) -> None:
    done = run("capture", "--behaviour", "maybe", "x.json")
    assert done.code == 64
    assert "'maybe' is not one of 'rollback', 'proceed'" in done.err
    assert "Value error" not in done.err


def test_times_without_an_offset_are_told_what_lacks(run: Any) -> None:
    done = run("trace", STORY["seed"], "--at", "2024-11-10T14:00:00", "--purpose", "p")
    assert (done.code, "with its offset from UTC" in done.err) == (64, True)

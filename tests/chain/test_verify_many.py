"""Many bundles in one run: every one is told, nothing is kept, the worst decides, and a person sees how far it is."""

import gc
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from sudonglian.chain import trust, verify
from sudonglian.chain.verify_many import judge_all
from sudonglian.chain.verify_steps import Verdict

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "bundle"
TRUST = str(FOLDER / "dev.trust.json")
KINDS = {
    "dev-unsigned.json": "VALID",
    "dev-older-checkpoint.json": "VALID",
    "dev-other-time.json": "INVALID",
    "dev-not-anchored.json": "INDETERMINATE",
}


def command(*argv: str) -> list[str]:
    script = "import sys; from sudonglian.chain.verify import main; sys.exit(main())"
    return [sys.executable, "-c", script, *argv]


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Four hundred files, a quarter of each kind."""
    folder = tmp_path / "bundles"
    folder.mkdir()
    for number in range(400):
        name = list(KINDS)[number % len(KINDS)]
        (folder / f"{number:03}.json").symlink_to(FOLDER / name)
    return folder


def test_a_folder_is_one_document_with_every_step(many: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.main([str(many), "--trust", TRUST, "--json"]) == 1
    captured = capsys.readouterr()
    said = json.loads(captured.out)
    assert [Path(one["file"]).name for one in said] == [f"{n:03}.json" for n in range(400)]
    assert Counter(one["verdict"] for one in said) == {"VALID": 200, "INVALID": 100, "INDETERMINATE": 100}
    alone = [verify.verify((FOLDER / name).read_bytes(), trust.parse(Path(TRUST).read_bytes())) for name in KINDS]
    for number, one in enumerate(said):
        assert [tuple(step.values()) for step in one["steps"]] == [
            (step.name, step.result, step.detail) for step in alone[number % len(KINDS)].steps
        ]
    lines = captured.err.splitlines()  # a pipe gets few lines, however many bundles there are
    assert lines[0].startswith("40/400 VALID 20, INVALID 10, INDETERMINATE 10")
    assert lines[-1].startswith("400/400")
    assert len(lines) == 10


@pytest.mark.parametrize(("lang", "word"), [("en", "It does not show"), ("zh", "本结果不能说明")])
def test_a_person_reads_a_line_for_each_and_a_summary(
    many: Path, capsys: pytest.CaptureFixture[str], lang: str, word: str
) -> None:
    assert verify.main([str(many), "--trust", TRUST, "--lang", lang]) == 1
    lines = capsys.readouterr().out.splitlines()
    heads = [line for line in lines if line.startswith(str(many))]
    assert len(heads) == 400
    assert sum("INVALID" in line for line in heads) == 100
    after_bad = lines[lines.index(next(line for line in heads if "INVALID" in line)) + 1]
    assert (
        "FAIL    place in the log" in after_bad or "失败      在日志中的位置" in after_bad
    )  # which step failed stands under the file
    summary = next(line for line in lines if line.startswith("400 "))
    assert all(words in summary for words in ("VALID 200", "INVALID 100", "INDETERMINATE 100"))
    assert sum(word in line for line in lines) == 1


def test_the_worst_decides_and_a_file_that_cannot_be_read_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad, unknown = (str(FOLDER / f"dev-{name}.json") for name in ("unsigned", "other-time", "not-anchored"))
    held = ["--trust", TRUST]
    for files, code in (
        ([good, good], 0),
        ([good, unknown], 2),
        ([unknown, bad, good], 1),
        ([good, "no such file", bad], 64),
        ([str(tmp_path), good], 64),
    ):
        assert verify.main([*files, *held]) == code, files
    capsys.readouterr()
    assert verify.main([good, "no such file", bad, *held, "--json"]) == 64
    said = json.loads(capsys.readouterr().out)
    assert [one["verdict"] for one in said] == ["VALID", None, "INVALID"]
    assert said[1]["error"]
    assert verify.main([good, "no such file", *held]) == 64
    assert "unreadable 1" in capsys.readouterr().out


def test_no_verdict_is_kept() -> None:
    verdict = verify.verify((FOLDER / "dev-unsigned.json").read_bytes(), trust.parse(Path(TRUST).read_bytes()))
    most = 0

    def judge(_: Path) -> Verdict:
        nonlocal most
        most = max(most, sum(type(one) is Verdict for one in gc.get_objects()))
        return Verdict(verdict.verdict, verdict.confirmation, verdict.completeness, (*verdict.steps,), verdict.trusted)

    gc.collect()
    before = sum(type(one) is Verdict for one in gc.get_objects())
    for as_json in (True, False):
        judge_all([Path("x")] * 20, judge, io.StringIO(), io.StringIO(), as_json=as_json, lang="en")
    assert most <= before + 1


def test_a_terminal_gets_a_bar(many: Path) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb") as terminal:
        run = subprocess.Popen(command(str(many), "--trust", TRUST, "--json"), stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        assert run.stdout is not None
        out = run.stdout.read()
        shown = b""
        try:
            while part := os.read(terminal.fileno(), 65536):
                shown += part
        except OSError:  # the other end is closed
            pass
        assert run.wait() == 1
    assert len(json.loads(out)) == 400
    drawn = re.findall(rb"\r\x1b\[K\[(#*)(-*)\] (\d+)/400", shown)
    assert drawn
    assert all(len(full) + len(rest) == 30 for full, rest, _ in drawn)
    assert [int(number) for _, _, number in drawn] == sorted(int(number) for _, _, number in drawn)
    assert drawn[-1] == (b"#" * 30, b"", b"400")
    assert shown.count(b"\n") == 1


def test_closed_streams_change_no_verdict() -> None:
    argv = command(str(FOLDER / "dev-unsigned.json"), str(FOLDER / "dev-other-time.json"), "--trust", TRUST)
    for closed in ("1", "2"):
        shell = ["sh", "-c", f'exec "$@" {closed}>&-', "sh", *argv]
        assert subprocess.run(shell, capture_output=True, check=False).returncode == 1


def test_an_interrupt_in_the_middle_is_no_traceback(tmp_path: Path) -> None:
    waits = tmp_path / "waits.json"
    os.mkfifo(waits)  # nobody writes: the run stands here
    argv = command(str(FOLDER / "dev-unsigned.json"), str(waits), "--trust", TRUST)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stderr is not None
        assert run.stderr.readline().startswith(b"1/2 VALID 1")
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=60)
    assert (run.returncode, err) == (130, b"")
    assert b"VALID" in out


@pytest.mark.full
def test_ten_thousand_bundles_in_one_command(tmp_path: Path) -> None:
    for number in range(10_000):
        (tmp_path / f"{number:05}.json").symlink_to(FOLDER / list(KINDS)[number % 2])
    done = subprocess.run(command(str(tmp_path), "--trust", TRUST, "--json"), capture_output=True, check=True)
    assert Counter(one["verdict"] for one in json.loads(done.stdout)) == {"VALID": 10_000}

"""Slither reads our contracts, and would tell: faults planted in a copy are found, and so is a run that read nothing."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
JUSTIFIED = Path(__file__).with_name("slither.json")
PLANTED = """
    mapping(address who => uint256 wei_) private _owed;

    function withdraw() external {
        (bool done,) = msg.sender.call{value: _owed[msg.sender]}("");
        if (done) _owed[msg.sender] = 0;
    }

    function destroy(address payable to) external {
        selfdestruct(to);
    }
"""

pytestmark = [
    pytest.mark.slither,
    pytest.mark.skipif(
        not (ROOT / ".venv-slither" / ".made-from").is_file(),
        reason="no .venv-slither; `scripts/slither` makes it and enables this test",
    ),
]


def slither(*options: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "scripts" / "slither"), *(str(one) for one in options)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The contracts in a folder laid out like the checkout."""
    shutil.copytree(ROOT / "contracts", tmp_path / "contracts")
    (tmp_path / "hardhat-local").mkdir()
    (tmp_path / "hardhat-local" / "node_modules").symlink_to(ROOT / "hardhat-local" / "node_modules")
    return tmp_path


def test_every_finding_is_justified_and_our_contracts_were_read() -> None:
    done = slither()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("slither read ISudonglianLog, Rfc9162, SudonglianLog and 11 contracts")
    assert "0 complaints" in done.stdout


def test_planted_faults_and_a_stale_justification_are_told(copy: Path, tmp_path: Path) -> None:
    contract = copy / "contracts" / "SudonglianLog.sol"
    text = contract.read_text()
    at = text.index("    function _register(")
    contract.write_text(text[:at] + PLANTED.lstrip("\n") + "\n" + text[at:])
    justified = json.loads(JUSTIFIED.read_text())
    justified.append(
        {"check": "suicidal", "impact": "High", "where": "nowhere", "why": "this is no longer found there"}
    )
    justified.append({"check": "tx-origin", "impact": "Medium", "where": "nowhere", "why": "because"})
    (tmp_path / "justified.json").write_text(json.dumps(justified))
    done = slither("--root", copy, "--justified", tmp_path / "justified.json")
    assert done.returncode == 1
    told = done.stderr
    assert "High, suicidal: SudonglianLog.destroy(address)" in told
    assert "reentrancy-eth: Reentrancy in SudonglianLog.withdraw()" in told
    assert "justified, but no longer found: suicidal | High | nowhere" in told
    assert "justified without words: tx-origin | Medium | nowhere" in told


def test_a_run_that_read_other_contracts_or_none_fails(copy: Path) -> None:
    (copy / "contracts" / "SudonglianLog.sol").unlink()
    done = slither("--root", copy)
    assert done.returncode == 1
    assert "read ['ISudonglianLog', 'Rfc9162'], must read ['ISudonglianLog', 'Rfc9162', 'SudonglianLog']" in done.stderr
    shutil.rmtree(copy / "contracts")
    (copy / "contracts").mkdir()
    assert "no contract in" in slither("--root", copy).stderr

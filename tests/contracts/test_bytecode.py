"""The code hash is what it was, and an auditor gets to it from the sources by docs/reproduce-contract.md.

tests/contracts/code.json is the golden file: the contract is immutable, so its numbers change with a new deployment only.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sudonglian.chain import anchor_contract as ac
from sudonglian.chain.keccak import keccak256

ROOT = Path(__file__).resolve().parents[2]
ARTIFACT = ROOT / "chain" / "sudonglian" / "chain" / "artifacts" / "SudonglianLog.json"
PAGE = (ROOT / "docs" / "reproduce-contract.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
INSTALL = "scripts/hardhat-local install\n"

needs_packages = pytest.mark.skipif(
    not (ROOT / "hardhat-local" / "node_modules" / "solc").is_dir(),
    reason="hardhat-local/node_modules is absent; `scripts/hardhat-local install` enables this test",
)


def golden() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(__file__).with_name("code.json").read_text())
    return found


def test_the_code_is_what_it_was() -> None:
    artifact, raw = ac.artifact(), json.loads(ARTIFACT.read_text())
    assert golden() == {
        "compiler": raw["compiler"],
        "creation": {"bytes": len(artifact.bytecode), "keccak256": f"0x{keccak256(artifact.bytecode).hex()}"},
        "runtime": {"bytes": len(artifact.runtime), "keccak256": f"0x{artifact.code_hash.hex()}"},
        "source_sha256": artifact.source_hash,
    }


def test_the_page_names_the_same_numbers() -> None:
    for part in ("runtime", "creation"):
        said = golden()[part]
        assert re.search(rf"^{part} code +{said['keccak256']} +keccak-256, {said['bytes']:,} bytes", PAGE, re.MULTILINE)
    assert re.search(rf"^sources +{golden()['source_sha256']} ", PAGE, re.MULTILINE)


def run(script: str, folder: Path) -> str:
    env = {**os.environ, "TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    words = ["bash", "-c", "set -euo pipefail\n" + script]
    done = subprocess.run(words, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.solc
@needs_packages
def test_an_auditor_gets_to_the_code_hash_by_the_page(tmp_path: Path) -> None:
    script = "".join(BLOCKS)
    # The packages are there, and what other tests use at this moment is not to be installed anew.
    assert script.count(INSTALL) == 1
    script = script.replace(INSTALL, "")
    own = 'export PATH="$PWD/.venv/bin:$PATH"'
    assert own in script
    said = run(script.replace(own, f'export PATH="{Path(sys.executable).parent}:$PATH"'), tmp_path)
    assert "SudonglianLog.json is up to date" in said
    for name, part in (("deployedBytecode", "runtime"), ("bytecode", "creation")):
        assert f"\n{name} {golden()[part]['keccak256'].removeprefix('0x')}\n" in said

    [folder] = tmp_path.iterdir()
    job = json.loads((folder / "input.json").read_text())
    assert {name.partition("/")[0] for name in job["sources"]} == {"contracts", "@openzeppelin"}
    assert all(set(unit) == {"content"} for unit in job["sources"].values())
    assert job["settings"]["evmVersion"] == "cancun"


@pytest.mark.full
@pytest.mark.solc
@needs_packages
def test_one_changed_sign_is_another_code_hash(tmp_path: Path) -> None:
    """The hash covers the code and not the words about it."""
    compile_contracts = [sys.executable, str(ROOT / "scripts" / "compile-contracts"), "--input"]
    job = json.loads(subprocess.run(compile_contracts, capture_output=True, text=True, check=True).stdout)
    log = job["sources"]["contracts/SudonglianLog.sol"]
    hashes = []
    sound = log["content"]
    for old, new in (("", ""), ("/// @dev No immutable", "/// @dev Not one immutable"), ("<= previous", "< previous")):
        assert old in sound
        log["content"] = sound.replace(old, new) if old else sound
        (tmp_path / "input.json").write_text(json.dumps(job))
        said = run(f'PATH="$(scripts/hardhat-local path):$PATH" scripts/solc --standard-json {tmp_path}/*', tmp_path)
        evm = json.loads(said)["contracts"]["contracts/SudonglianLog.sol"]["SudonglianLog"]["evm"]
        hashes.append(f"0x{keccak256(bytes.fromhex(evm['deployedBytecode']['object'])).hex()}")
    due = golden()["runtime"]["keccak256"]
    assert hashes[:2] == [due, due]
    assert hashes[2] != due

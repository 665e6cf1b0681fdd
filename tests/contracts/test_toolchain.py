"""The compiler and the nodes as a developer starts them."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.bench import node_path

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / "hardhat-local"
ARTIFACT = ROOT / "chain" / "sudonglian" / "chain" / "artifacts" / "SudonglianLog.json"


@pytest.fixture
def packages() -> Path:
    modules = LOCAL / "node_modules"
    if not (modules / "solc").is_dir():
        pytest.skip("hardhat-local/node_modules is absent; `scripts/hardhat-local install` enables this test")
    return modules


def run(*command: object, **other: Any) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **other)


@pytest.mark.solc
def test_the_committed_artifact_is_what_the_sources_compile_to(packages: Path) -> None:
    done = run(sys.executable, ROOT / "scripts" / "compile-contracts", "--check")
    assert done.returncode == 0, done.stdout + done.stderr
    # No warning of the compiler goes unseen.
    assert done.stderr == ""


@pytest.mark.solc
def test_the_wrapper_answers_what_tools_ask_and_nothing_else(packages: Path) -> None:
    solc = ROOT / "scripts" / "solc"
    environment = node_path()
    assert re.search(r"Version: 0\.8\.37\+commit\.[0-9a-f]{8}", run(solc, "--version", env=environment).stdout)
    job = {
        "language": "Solidity",
        "sources": {
            "A.sol": {
                "content": "// SPDX-License-Identifier: MIT\npragma solidity 0.8.37; import 'none.sol'; contract A {}"
            }
        },
        "settings": {"outputSelection": {"*": {"*": ["abi"]}}},
    }
    done = run(solc, "--standard-json", env=environment, input=json.dumps(job))
    assert done.returncode == 0
    assert "File not found: none.sol" in done.stdout
    for wrong in (["--frobnicate"], []):
        refused = run(solc, *wrong, env=environment)
        assert refused.returncode == 1
        assert refused.stdout == ""
        assert refused.stderr.startswith("solc: ")
    broken = run(solc, "--standard-json", env=environment, input="{")
    assert (broken.returncode, broken.stdout) == (1, "")
    nowhere = run(solc, "--standard-json", env={**environment, "SOLCJS_DIR": "/nowhere"}, input="{}")
    assert nowhere.returncode == 127


@pytest.mark.hardhat
def test_hardhat_compiles_to_the_same_code(packages: Path) -> None:
    """Forge too: test_forge.py sees it when it has compiled what it tests."""
    ours = json.loads(ARTIFACT.read_text())
    built = run(
        "node", packages / "hardhat" / "dist" / "src" / "cli.js", "build", "--force", env=node_path(), cwd=LOCAL
    )
    assert built.returncode == 0, built.stderr
    theirs = json.loads((LOCAL / "artifacts" / "contracts" / "SudonglianLog.sol" / "SudonglianLog.json").read_text())
    assert (theirs["bytecode"], theirs["deployedBytecode"]) == (ours["bytecode"], ours["deployedBytecode"])


def test_the_lock_file_names_no_registry() -> None:
    text = (LOCAL / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    assert "resolved" not in text
    assert "://" not in "".join(line for line in text.splitlines() if '"url"' not in line and '"funding"' not in line)
    declared = json.loads((LOCAL / "package.json").read_text())
    for name in [*declared["devDependencies"], *declared["optionalDependencies"]]:
        # npm leaves an optional package that it cannot find out of the lock, and then `npm ci` fails everywhere.
        assert f"node_modules/{name}" in packages
    assert [name for name, entry in packages.items() if name and "integrity" not in entry] == []
    assert packages["node_modules/hardhat"]["version"] == "3.17.0"
    assert packages["node_modules/solc"]["version"] == "0.8.37"
    assert packages["node_modules/@openzeppelin/contracts"]["version"] == "5.7.0"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize(
    "kind", [pytest.param("anvil", marks=pytest.mark.anvil), pytest.param("node", marks=pytest.mark.hardhat)]
)
def test_a_node_ends_with_its_command(packages: Path, kind: str, how: signal.Signals) -> None:
    port = free_port()
    command = [sys.executable, str(ROOT / "scripts" / "hardhat-local"), kind, "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not listening(port):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.05)
    process.send_signal(how)
    process.wait(timeout=20)
    assert not listening(port)


def test_wrong_usage_is_refused() -> None:
    assert run(sys.executable, ROOT / "scripts" / "hardhat-local", "frobnicate").returncode == 2


def test_who_has_no_node_is_told_how_to_get_one(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    script = Path(shutil.copy(ROOT / "scripts" / "hardhat-local", tmp_path / "scripts"))
    # -S: this Python without the packages around it.
    refused = run(sys.executable, "-S", script, "install", env={"PATH": str(tmp_path)})
    assert refused.returncode == 1
    assert "no Node of 22.13 or newer" in refused.stderr
    assert "scripts/bootstrap.py --dev" in refused.stderr


def test_the_node_that_is_started_is_the_binary_and_no_script_around_it(packages: Path) -> None:
    # As the README has it: the virtual environment's programs come first, and its `node` is a script.
    first = str(Path(sys.executable).parent)
    told = run(
        sys.executable,
        ROOT / "scripts" / "hardhat-local",
        "path",
        env={**os.environ, "PATH": os.pathsep.join([first, os.environ["PATH"]])},
    )
    assert told.returncode == 0, told.stderr
    assert (Path(told.stdout.strip()) / "node").read_bytes()[:2] != b"#!"

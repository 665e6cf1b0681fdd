"""forge on a copy of the contracts and of their Solidity tests, so that a mutation never touches the checkout."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / "hardhat-local"
FORGE = LOCAL / "node_modules" / "@foundry-rs" / "forge-linux-amd64" / "bin" / "forge"
SUITE = Path("tests", "contracts", "forge")
DECLARED = re.compile(r"^    function ((?:test|testFuzz|invariant)_\w+)\(", re.MULTILINE)


def node_path() -> dict[str, str]:
    """The environment in which the compiler finds a Node that is new enough."""
    script = [sys.executable, str(LOCAL.parent / "scripts" / "hardhat-local"), "path"]
    folder = subprocess.run(script, capture_output=True, text=True, check=True).stdout.strip()
    return {**os.environ, "PATH": os.pathsep.join([folder, os.environ["PATH"]]), "HARDHAT_DISABLE_TELEMETRY": "true"}


def declared() -> dict[str, list[str]]:
    """Every test that stands in the Solidity files, by file."""
    return {one.name: DECLARED.findall(one.read_text()) for one in sorted((ROOT / SUITE).glob("*.t.sol"))}


class Bench:
    """A folder laid out like the checkout, with a cache of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.contracts = Path(shutil.copytree(ROOT / "contracts", folder / "contracts"))
        shutil.copytree(ROOT / SUITE, folder / SUITE)
        self.home = folder / "hardhat-local"
        self.home.mkdir()
        shutil.copy(LOCAL / "foundry.toml", self.home)
        (self.home / "node_modules").symlink_to(LOCAL / "node_modules")
        (folder / "scripts").symlink_to(ROOT / "scripts")
        self._environment = node_path()

    def forge(self, *words: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        environment = {**self._environment, **{name.upper(): value for name, value in settings.items()}}
        command = [str(FORGE), *words]
        return subprocess.run(command, cwd=self.home, env=environment, capture_output=True, text=True, check=False)

    def run(self, names: Iterable[str] = (), **settings: str) -> dict[str, dict[str, Any]]:
        """Run these tests, or all; what forge says of each by its name."""
        wanted = "|".join(sorted(names))
        done = self.forge("test", "--json", *(["--match-test", rf"^({wanted})\("] if wanted else []), **settings)
        try:
            suites = json.loads(done.stdout)
        except ValueError:
            raise AssertionError(f"forge ran nothing: {done.stdout[-2000:]}{done.stderr[-2000:]}") from None
        results = {
            name.partition("(")[0]: result for one in suites.values() for name, result in one["test_results"].items()
        }
        failed = [name for name, result in results.items() if result["status"] != "Success"]
        assert (done.returncode != 0) == bool(failed), done.stderr
        return results

    def compiled(self, source: str, contract: str) -> tuple[str, str]:
        """Creation and runtime code of what was last compiled."""
        made = json.loads((self.home / "cache" / "forge" / source / f"{contract}.json").read_text())
        return made["bytecode"]["object"], made["deployedBytecode"]["object"]

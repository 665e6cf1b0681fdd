"""The bill of materials is a valid one, the same each time, and says what the locks and the installation say."""

import json
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given
from hypothesis import strategies as st

from sudonglian.api import npm_lock
from sudonglian.api.bill import Component, bill
from sudonglian.api.errors import FileUnreadable
from sudonglian.api.installed import hashes_of_lock

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., Any]


def faults(document: Any) -> Any:
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    import subprocess
    import sys

    program = Path(sys.executable).with_name("sudonglian")
    done = subprocess.run([program, "sbom", "--json"], capture_output=True, check=True)
    again = subprocess.run([program, "sbom", "--json"], capture_output=True, check=True)
    assert done.stdout == again.stdout
    whole: dict[str, Any] = json.loads(done.stdout)
    return whole


def test_it_is_what_the_schema_asks_for(made: dict[str, Any]) -> None:
    assert faults(made) is None
    broken = json.loads(json.dumps(made))
    del broken["components"][0]["name"]
    assert faults(broken) is not None
    broken = json.loads(json.dumps(made))
    broken["components"][0]["licenses"] = [{"license": {"id": "No-Such-Licence"}}]
    assert faults(broken) is not None


def test_it_names_all_that_is_installed_with_the_files_that_the_lock_allows(made: dict[str, Any]) -> None:
    python = {one["name"]: one for one in made["components"] if one["purl"].startswith("pkg:pypi/")}
    assert python["fastapi"]["version"] == metadata.version("fastapi")
    there = {one.metadata["Name"].lower().replace("_", "-").replace(".", "-") for one in metadata.distributions()}
    assert set(python) == there - {"sudonglian"}
    lock = hashes_of_lock((ROOT / "requirements-dev.lock").read_text())
    for name, one in python.items():
        digests = {each["content"] for each in one.get("externalReferences", [{"hashes": []}])[0]["hashes"]}
        assert digests == lock.get((name, one["version"]), set()), name
    assert sum("externalReferences" in one for one in python.values()) > 100
    assert python["fastapi"]["scope"] == "required"
    assert python["pytest"]["scope"] == "excluded"


def test_everything_in_the_lock_of_the_service_is_needed_to_run_it(made: dict[str, Any]) -> None:
    """Both ways: what the lock installs for this machine is marked as needed, and nothing else."""
    text = (ROOT / "requirements.lock").read_text()
    lock = {name for name, _ in hashes_of_lock(text)}
    elsewhere = {line.partition("==")[0] for line in text.splitlines() if " ; " in line}
    needed = {
        one["name"] for one in made["components"] if one["scope"] == "required" and one["purl"].startswith("pkg:pypi/")
    }
    assert needed <= lock
    # The lock also has what builds the package.
    build = {"editables", "hatchling", "pathspec", "pluggy", "tomlkit", "trove-classifiers"}
    assert (lock - needed - elsewhere) & {one["name"] for one in made["components"]} <= build


def test_it_names_every_package_of_npms_lock(made: dict[str, Any]) -> None:
    locks = [json.loads((ROOT / part / "package-lock.json").read_text()) for part in ("hardhat-local", "api/browser")]
    lock = [one for each in locks for one in each["packages"].values()]
    node = [one for one in made["components"] if one["purl"].startswith("pkg:npm/")]
    assert len(node) == len(lock)
    assert sorted(one["version"] for one in node) == sorted(one.get("version", "0") for one in lock)
    whole = {one["bom-ref"]: one for one in node}
    assert whole["npm:hardhat-local/node_modules/hardhat"]["purl"] == "pkg:npm/hardhat@3.17.0"
    assert whole["npm:sudonglian-browser/node_modules/@noble/curves"]["purl"] == "pkg:npm/%40noble/curves@2.4.0"
    assert whole["npm:hardhat-local/node_modules/@openzeppelin/contracts"]["purl"].startswith(
        "pkg:npm/%40openzeppelin/"
    )


def test_every_dependency_is_a_component_and_every_component_has_its_row(made: dict[str, Any]) -> None:
    refs = {one["bom-ref"] for one in made["components"]} | {made["metadata"]["component"]["bom-ref"]}
    graph = {one["ref"]: set(one["dependsOn"]) for one in made["dependencies"]}
    assert set(graph) == refs
    assert set().union(*graph.values()) <= refs
    by_name = {one["bom-ref"]: one["name"] for one in made["components"]}
    own = {by_name[one] for one in graph[made["metadata"]["component"]["bom-ref"]]}
    assert {"fastapi", "coincurve", "eth-tester"} <= own
    assert "starlette" not in own
    assert "starlette" in {by_name[one] for one in graph[f"pkg:pypi/fastapi@{metadata.version('fastapi')}"]}
    extra = {by_name[one] for one in graph[f"pkg:pypi/eth-tester@{metadata.version('eth-tester')}"]}
    assert "py-evm" in extra, "what an extra brings"
    project = {by_name[one] for one in graph["npm:hardhat-local"]}
    assert {"hardhat", "solc", "@openzeppelin/contracts"} <= project


def test_the_command_writes_a_file_counts_licences_and_dates_it_when_asked(run: Run, tmp_path: Path) -> None:
    done = run("sbom", "-o", str(tmp_path / "bill.json"), "--timestamp")
    assert done.code == 0
    assert "MIT" in done.out
    written = json.loads((tmp_path / "bill.json").read_text())
    assert faults(written) is None
    assert written["metadata"]["timestamp"]
    again = json.loads(run("sbom", "--json").out)
    assert "timestamp" not in again["metadata"]
    assert again["serialNumber"] == written["serialNumber"], "what it is made of is the same"


@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b'{"packages": {"a": {}}}', b'{"packages": {"": {"name": "x"}, "node_modules/a": 7}}', b'{"packages": {"": {"name": "x", "integrity": "sha512-?"}}}']
)  # fmt: skip
def test_what_is_no_lock_file_of_npm(raw: bytes, run: Run, tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable):
        npm_lock.packages(raw, "here")
    (tmp_path / "lock.json").write_bytes(raw)
    assert run("sbom", "--npm", str(tmp_path / "lock.json")).code == 64
    (tmp_path / "requirements").write_bytes(b"\xff")
    assert run("sbom", "--lock", str(tmp_path / "requirements")).code == 64


NAMES = st.text("abc", min_size=1, max_size=2)


@given(st.lists(st.tuples(NAMES, st.text(max_size=9), st.booleans()), unique_by=lambda one: one[0]), st.randoms())
def test_any_components_give_one_valid_bill_in_any_order(some: list[tuple[str, str, bool]], random: Any) -> None:
    subject = Component("subject", "pkg:pypi/s@1", "s", "1", needs=tuple(sorted(f"r-{one[0]}" for one in some)))
    components = [
        Component(f"r-{name}", f"pkg:pypi/{name}@1", name, "1", licence=licence, serves=serves)
        for name, licence, serves in some
    ]
    first = bill(subject, components)
    random.shuffle(components)
    assert bill(subject, components) == first
    assert faults(first) is None

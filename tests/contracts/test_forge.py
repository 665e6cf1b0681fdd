"""The Solidity tests of tests/contracts/forge, run by forge, and whether they notice when the contract is broken."""

import json
import re
import secrets
from pathlib import Path
from typing import Any

import pytest
from tests.contracts.bench import FORGE, ROOT, SUITE, Bench, declared
from tests.contracts.mutations import MUTATIONS, QUICK, Mutation

ARTIFACT = ROOT / "chain" / "sudonglian" / "chain" / "artifacts" / "SudonglianLog.json"
LEAST_RUNS = {"Fuzz": 64, "Invariant": 8}
LEAST_CALLS = 400
"""In each invariant's runs together."""

needs_forge = [
    pytest.mark.forge,
    pytest.mark.skipif(
        not FORGE.is_file(), reason="no forge in hardhat-local/node_modules; `scripts/hardhat-local install` enables it"
    ),
]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"))


def marked(function: Any) -> Any:
    for mark in needs_forge:
        function = mark(function)
    return function


def every_test() -> list[str]:
    return [name for names in declared().values() for name in names]


def run_all(bench: Bench, **settings: str) -> dict[str, dict[str, Any]]:
    """Run all and see that all that is declared was run, as often as it must."""
    results = bench.run(**settings)
    assert sorted(results) == sorted(every_test())
    assert {name: result["reason"] for name, result in results.items() if result["status"] != "Success"} == {}
    for name, result in results.items():
        [(kind, said)] = result["kind"].items()
        assert kind == {"testFuzz": "Fuzz", "invariant": "Invariant"}.get(name.partition("_")[0], "Unit")
        assert said.get("runs", 0) >= LEAST_RUNS.get(kind, 0), name
        if kind == "Invariant":
            assert said["calls"] >= LEAST_CALLS
            assert said["reverts"] == 0
    return results


@marked
def test_the_solidity_tests_pass(bench: Bench) -> None:
    results = run_all(bench)
    actions: dict[str, int] = {}
    for result in results.values():
        for name, metric in result["kind"].get("Invariant", {}).get("metrics", {}).items():
            actions[name.rpartition(".")[2]] = actions.get(name.rpartition(".")[2], 0) + metric["calls"]
    # Everything that the handler can do was done: nothing holds because nothing happened.
    assert len(actions) == 12, sorted(actions)
    assert min(actions.values()) > 100
    # And what was tested is what is deployed.
    ours = json.loads(ARTIFACT.read_text())
    assert bench.compiled("SudonglianLog.sol", "SudonglianLog") == (ours["bytecode"], ours["deployedBytecode"])


@pytest.mark.full
@marked
def test_the_solidity_tests_pass_many_times_with_a_new_seed(bench: Bench) -> None:
    seed = f"0x{secrets.token_hex(8)}"
    print(f"seed {seed}")
    run_all(bench, foundry_profile="full", foundry_fuzz_seed=seed)


@marked
def test_the_solidity_is_formatted(bench: Bench) -> None:
    done = bench.forge("fmt", "--root", ".", "--check", str(bench.contracts), str(bench.folder / SUITE))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_file_of_the_suite_holds_tests() -> None:
    assert {name: len(tests) > 6 for name, tests in declared().items()} == {
        f"{name}.t.sol": True for name in ("Anchors", "Invariants", "Proofs", "Registry", "Roles")
    }
    assert len(every_test()) == len(set(every_test()))


def test_every_custom_error_has_its_test() -> None:
    """The library's that no call can cause are named here: a role's grant to a second administrator is all it refuses."""
    errors = {entry["name"] for entry in json.loads(ARTIFACT.read_text())["abi"] if entry["type"] == "error"}
    tested = {name.removeprefix("test_") for name in every_test()}
    elsewhere = {
        "AccessControlUnauthorizedAccount": "test_every_call_needs_its_role_and_no_other",
        # The library narrows a time to 48 bits: eight million years from now.
        "SafeCastOverflowedUintDowncast": None,
    }
    assert errors - tested == set(elsewhere)
    assert {name for name in elsewhere.values() if name} <= set(every_test())


def test_every_function_that_changes_something_is_tried_by_strangers() -> None:
    changing = {
        entry["name"]
        for entry in json.loads(ARTIFACT.read_text())["abi"]
        if entry["type"] == "function" and entry["stateMutability"] != "view"
    }
    text = (ROOT / SUITE / "Roles.t.sol").read_text(encoding="utf-8")
    assert changing <= set(re.findall(r"log\.(\w+)\.selector", text))
    # These two take no role: one is for the pending administrator, one for whoever gives the own role up.
    free = {"acceptDefaultAdminTransfer", "renounceRole"}
    for file in ("Roles.t.sol", "Handler.sol"):
        text = (ROOT / SUITE / file).read_text(encoding="utf-8")
        assert changing - free <= set(re.findall(r"abi\.encodeCall\(\s*log\.(\w+),", text)), file


def test_the_page_names_tests_that_are_there() -> None:
    page = (ROOT / "docs" / "contract-tests.md").read_text(encoding="utf-8")
    python = "".join(one.read_text(encoding="utf-8") for one in Path(__file__).parent.glob("test_*.py"))
    there = {*every_test(), *re.findall(r"^def (test_\w+)", python, re.MULTILINE)}
    named = set(re.findall(r"`((?:test|testFuzz|invariant)_\w+)`", page))
    assert len(named) > 25
    assert named - there == set()
    assert {name for name in every_test() if name.startswith("invariant_")} - named <= {
        "invariant_honest_work_is_never_refused",
        "invariant_pausing_stops_anchoring",
    }
    for path in re.findall(r"`((?:tests|scripts|contracts)/[\w./-]+)`", page):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.rule)
def test_a_mutation_names_one_place_and_who_must_see_it(mutation: Mutation) -> None:
    assert (ROOT / "contracts" / mutation.file).read_text(encoding="utf-8").count(mutation.old) == 1
    assert mutation.old != mutation.new
    assert mutation.caught_by
    assert set(mutation.caught_by) <= set(every_test())


def test_every_invariant_is_broken_by_some_mutation() -> None:
    seen = {name for mutation in MUTATIONS for name in mutation.caught_by}
    assert [name for name in every_test() if name.startswith("invariant_") and name not in seen] == []
    assert len({mutation.rule for mutation in MUTATIONS}) == len(MUTATIONS)
    assert set(QUICK) <= {mutation.rule for mutation in MUTATIONS}


def turns_red(bench: Bench, mutation: Mutation) -> None:
    path: Path = bench.contracts / mutation.file
    sound = path.read_text(encoding="utf-8")
    path.write_text(sound.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        # Nobody reads the shortest way to a failure that is wanted.
        results = bench.run(mutation.caught_by, foundry_invariant_shrink_run_limit="0")
    finally:
        path.write_text(sound, encoding="utf-8")
    survived = {name: results[name]["status"] for name in mutation.caught_by if results[name]["status"] != "Failure"}
    assert survived == {}, f"survives: {mutation.rule}"


@marked
@pytest.mark.parametrize("mutation", [one for one in MUTATIONS if one.rule in QUICK], ids=lambda one: one.rule)
def test_some_mutations_turn_the_suite_red(bench: Bench, mutation: Mutation) -> None:
    turns_red(bench, mutation)


@pytest.mark.full
@marked
@pytest.mark.parametrize("mutation", [one for one in MUTATIONS if one.rule not in QUICK], ids=lambda one: one.rule)
def test_every_mutation_turns_the_suite_red(bench: Bench, mutation: Mutation) -> None:
    turns_red(bench, mutation)

"""What the contract allows and refuses, on the embedded chain, on anvil and on a Hardhat node."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sudonglian.chain import anchor_contract as ac
from sudonglian.chain import anchor_deployment as ad
from sudonglian.chain import slots
from sudonglian.chain.keccak import keccak256
from sudonglian.chain.network import CallReverted
from sudonglian.chain.wallet import Wallet

ZERO = bytes(32)
META = bytes(range(32))
FOR_EVER = 2**64 - 1
PARTY = ac.party_id("https://id.gs1.org/417/4012345500004")


def test_anchors_grow_by_proof(log: Any, tree: Any) -> None:
    sizes = [1, 2, 3, 7, 8, 9, 33, 64, 70]
    before = 0
    for size in sizes:
        proof = tree.consistency(before, size) if before else []
        receipt = log.anchor(size, tree.root(size), proof, META)
        assert ac.anchored_events(receipt.logs, log.address) == [ac.Anchored(size, tree.root(size), before, META)]
        assert ac.latest(log.network, log.address) == (size, tree.root(size))
        before = size
    for size in range(75):
        due = tree.root(size) if size in sizes else None
        assert ac.root_at(log.network, log.address, size) == due


def test_the_first_anchor_takes_no_proof(log: Any, tree: Any) -> None:
    error = log.refused(ac.anchor_data(4, tree.root(4), [tree.root(2)]))
    assert error == ac.ContractError("Inconsistent", {"size1": 0, "root1": ZERO, "size2": 4, "root2": tree.root(4)})
    log.anchor(4, tree.root(4))


def test_a_wrong_proof_is_refused_with_its_evidence(log: Any, tree: Any) -> None:
    log.anchor(5, tree.root(5))
    good = tree.consistency(5, 21)
    evidence = {"size1": 5, "root1": tree.root(5), "size2": 21, "root2": tree.root(21)}
    wrong = [
        [],
        good[:-1],
        good[1:],
        [*good, good[-1]],
        good[::-1],
        [*good[:2], bytes(32), *good[3:]],
        tree.consistency(5, 20),
        tree.consistency(6, 21),
    ]
    for proof in wrong:
        error = log.refused(ac.anchor_data(21, tree.root(21), proof))
        assert error == ac.ContractError("Inconsistent", evidence)
    foreign = log.refused(ac.anchor_data(21, tree.root(20), good))
    assert foreign.name == "Inconsistent"
    log.anchor(21, tree.root(21), good)


def test_size_strictly_grows_and_history_stays(log: Any, tree: Any) -> None:
    log.anchor(8, tree.root(8))
    log.anchor(20, tree.root(20), tree.consistency(8, 20))
    assert log.refused(ac.anchor_data(19, tree.root(19), [])) == ac.ContractError(
        "SizeNotGrowing", {"anchored": 20, "offered": 19}
    )
    assert log.refused(ac.anchor_data(0, tree.root(1), [])).name == "SizeNotGrowing"
    for size in (8, 20):
        assert log.refused(ac.anchor_data(size, tree.root(7), [])) == ac.ContractError(
            "RootConflict", {"size": size, "anchored": tree.root(size), "offered": tree.root(7)}
        )
    assert log.refused(ac.anchor_data(30, ZERO, tree.consistency(20, 30))).name == "EmptyRoot"


def test_an_identical_retry_succeeds_and_does_nothing(log: Any, tree: Any) -> None:
    log.anchor(8, tree.root(8))
    log.anchor(20, tree.root(20), tree.consistency(8, 20))
    for size in (8, 20):
        for proof in ([], [META]):
            assert log.anchor(size, tree.root(size), proof).logs == ()
    log.done(ac.pause_data(paused=True))
    assert log.anchor(20, tree.root(20)).logs == ()
    assert ac.latest(log.network, log.address) == (20, tree.root(20))


def test_pausing_stops_anchoring_only(log: Any, tree: Any) -> None:
    log.anchor(8, tree.root(8))
    log.done(ac.pause_data(paused=True))
    assert ac.paused(log.network, log.address)
    proof = tree.consistency(8, 20)
    assert log.refused(ac.anchor_data(20, tree.root(20), proof)).name == "AnchoringPaused"
    assert ac.latest(log.network, log.address) == (8, tree.root(8))
    assert ac.included(log.network, log.address, tree.leaves[3], 3, 8, tree.inclusion(3, 8))
    log.done(ac.register_data(b"k" * 20, PARTY, 0, FOR_EVER, ac.CONSIGNOR))
    log.done(ac.pause_data(paused=False))
    assert not ac.paused(log.network, log.address)
    log.anchor(20, tree.root(20), proof)


def test_freezing_ends_anchoring_and_the_successor_goes_on(log: Any, tree: Any) -> None:
    log.anchor(8, tree.root(8))
    for nowhere in (bytes(20), log.address):
        assert log.refused(ac.freeze_data(nowhere)).name == "InvalidSuccessor"
    assert ac.successor(log.network, log.address) is None
    after = ad.deploy(log.network, log.admin, start_size=8, start_root=tree.root(8))
    log.done(ac.freeze_data(after.contract))
    assert ac.successor(log.network, log.address) == after.contract
    proof = tree.consistency(8, 20)
    assert log.refused(ac.anchor_data(20, tree.root(20), proof)) == ac.ContractError(
        "AnchoringEnded", {"successor": after.contract}
    )
    assert log.refused(ac.freeze_data(b"o" * 20)).name == "AnchoringEnded"
    log.done(ac.pause_data(paused=False))
    assert log.refused(ac.anchor_data(20, tree.root(20), proof)).name == "AnchoringEnded"
    assert log.anchor(8, tree.root(8)).logs == ()

    receipt = log.network.receipt(after.deploy_tx)
    assert receipt is not None
    assert ac.anchored_events(receipt.logs, after.contract) == [ac.Anchored(8, tree.root(8), 0, ZERO)]
    data = ac.anchor_data(20, tree.root(20), proof)
    assert ad.execute(log.network, log.admin, after.contract, data).status == 1
    assert ac.latest(log.network, after.contract) == (20, tree.root(20))


@pytest.mark.parametrize(("size", "root"), [(0, META), (5, ZERO)])
def test_a_start_that_is_none_is_refused(log: Any, size: int, root: bytes) -> None:
    with pytest.raises(ad.DeploymentFailed):
        ad.deploy(log.network, log.admin, start_size=size, start_root=root)


def test_every_action_needs_its_role(log: Any, tree: Any) -> None:
    stranger = Wallet.generate().address
    registry = ac.register_data(b"k" * 20, PARTY, 0, FOR_EVER, 1)
    for data, role in [
        (ac.anchor_data(8, tree.root(8), []), ac.ROLE_ANCHORER),
        (ac.pause_data(paused=True), ac.ROLE_PAUSER),
        (ac.pause_data(paused=False), ac.ROLE_PAUSER),
        (ac.freeze_data(b"s" * 20), ZERO),
        (registry, ac.ROLE_REGISTRAR),
        (ac.rotate_data(b"k" * 20, b"l" * 20, FOR_EVER), ac.ROLE_REGISTRAR),
        (ac.revoke_data(b"k" * 20), ac.ROLE_REGISTRAR),
    ]:
        assert log.reason(data, stranger) == ac.ContractError(
            "AccessControlUnauthorizedAccount", {"account": stranger, "neededRole": role}
        )


def test_roles_are_apart_and_the_administration_moves_in_two_steps(log: Any, tree: Any) -> None:
    anchorer, other = Wallet.generate(), Wallet.generate()
    log.done(ac.calldata("grantRole(bytes32,address)", ac.ROLE_ANCHORER, anchorer.address))
    log.done(ac.calldata("revokeRole(bytes32,address)", ac.ROLE_ANCHORER, log.admin.address))
    assert log.refused(ac.anchor_data(8, tree.root(8), [])).name == "AccessControlUnauthorizedAccount"
    assert log.reason(ac.pause_data(paused=True), anchorer.address).name == "AccessControlUnauthorizedAccount"
    assert log.network.call(log.address, ac.anchor_data(8, tree.root(8), []), sender=anchorer.address) == b""
    assert log.refused(ac.calldata("grantRole(bytes32,address)", ZERO, other.address)).name == (
        "AccessControlEnforcedDefaultAdminRules"
    )
    log.done(ac.calldata("beginDefaultAdminTransfer(address)", other.address))
    assert log.network.call(log.address, ac.calldata("defaultAdmin()"))[-20:] == log.admin.address
    log.pass_a_second()
    assert log.network.call(log.address, ac.calldata("acceptDefaultAdminTransfer()"), sender=other.address) == b""


def test_the_administrations_delay_holds(log: Any) -> None:
    slow = ad.deploy(log.network, log.admin, admin_delay_s=86_400)
    other = Wallet.generate()
    ad.execute(log.network, log.admin, slow.contract, ac.calldata("beginDefaultAdminTransfer(address)", other.address))
    with pytest.raises(CallReverted) as refused:
        log.network.call(slow.contract, ac.calldata("acceptDefaultAdminTransfer()"), sender=other.address)
    assert ac.decode_error(refused.value.data).name == "AccessControlEnforcedDefaultAdminDelay"


def test_the_registry_keeps_windows_rotations_and_revocations(log: Any) -> None:
    old, new = Wallet.generate().address, Wallet.generate().address
    assert ac.party(log.network, log.address, old) is None
    log.done(ac.register_data(old, PARTY, 5, FOR_EVER, ac.CONSIGNOR | ac.CONSIGNEE))
    assert ac.party(log.network, log.address, old) == ac.Party(PARTY, slots.Window(5, FOR_EVER, 0, 3))
    assert log.refused(ac.register_data(old, META, 5, 6, 1)) == ac.ContractError("KeyKnown", {"key": old})

    log.done(ac.rotate_data(old, new, FOR_EVER))
    rotated = log.now()
    assert ac.party(log.network, log.address, old) == ac.Party(PARTY, slots.Window(5, rotated, 0, 3))
    assert ac.party(log.network, log.address, new) == ac.Party(PARTY, slots.Window(rotated, FOR_EVER, 0, 3))
    assert log.refused(ac.rotate_data(old, b"z" * 20, FOR_EVER)) == ac.ContractError("KeyNotInForce", {"key": old})

    log.pass_a_second()
    log.done(ac.revoke_data(new))
    found = ac.party(log.network, log.address, new)
    assert found == ac.Party(PARTY, slots.Window(rotated, FOR_EVER, log.now(), 3))
    assert found.window.open_at(rotated, ac.CONSIGNEE)
    assert not found.window.open_at(found.window.revoked_at, ac.CONSIGNEE)
    assert log.refused(ac.revoke_data(new)).name == "KeyNotInForce"
    assert log.refused(ac.rotate_data(new, b"z" * 20, FOR_EVER)).name == "KeyNotInForce"
    log.done(ac.revoke_data(old))
    for stranger in (ac.revoke_data(b"q" * 20), ac.rotate_data(b"q" * 20, b"r" * 20, 9)):
        assert log.refused(stranger) == ac.ContractError("KeyUnknown", {"key": b"q" * 20})


def test_a_key_that_is_early_or_over_is_not_rotated(log: Any) -> None:
    soon, over = b"s" * 20, b"o" * 20
    log.done(ac.register_data(soon, PARTY, FOR_EVER - 1, FOR_EVER, 1))
    log.done(ac.register_data(over, PARTY, 1, 2, 1))
    for key in (soon, over):
        assert log.refused(ac.rotate_data(key, b"n" * 20, FOR_EVER)).name == "KeyNotInForce"


@pytest.mark.parametrize(
    ("key", "party", "start", "end", "roles"),
    [
        (bytes(20), PARTY, 1, 2, 1),
        (b"k" * 20, ZERO, 1, 2, 1),
        (b"k" * 20, PARTY, 2, 2, 1),
        (b"k" * 20, PARTY, 3, 2, 1),
        (b"k" * 20, PARTY, 1, 2, 0),
    ],
)
def test_a_party_that_is_none_is_refused(log: Any, key: bytes, party: bytes, start: int, end: int, roles: int) -> None:
    error = log.refused(ac.register_data(key, party, start, end, roles))
    assert error.name == "InvalidParty"
    assert list(error.arguments.values()) == [key, party, start, end, roles]


def test_slots_are_where_the_specification_says(log: Any, tree: Any) -> None:
    key = Wallet.generate().address
    log.anchor(8, tree.root(8))
    log.anchor(70, tree.root(70), tree.consistency(8, 70))
    log.done(ac.register_data(key, PARTY, 1_700_000_000, FOR_EVER, ac.CONSIGNEE))
    log.done(ac.revoke_data(key))
    first, second = slots.party_slots(key)
    asked = [slots.root_slot(8), slots.root_slot(70), slots.root_slot(71), first, second]
    proof = log.network.proof(log.address, asked, log.network.head())
    values = [value for _, value, _ in proof.storage]
    assert values[:3] == [int.from_bytes(tree.root(8), "big"), int.from_bytes(tree.root(70), "big"), 0]
    assert ac.Party(values[3].to_bytes(32, "big"), slots.window_of(values[4])) == ac.party(
        log.network, log.address, key
    )


def test_inclusion_is_judged_at_anchored_sizes_only(log: Any, tree: Any) -> None:
    log.anchor(37, tree.root(37))

    def judged(leaf: bytes, index: int, size: int, path: list[bytes]) -> bool:
        return ac.included(log.network, log.address, leaf, index, size, path)

    for index in range(37):
        path = tree.inclusion(index, 37)
        assert judged(tree.leaves[index], index, 37, path)
        assert not judged(tree.leaves[index], (index + 1) % 37, 37, path)
        assert not judged(tree.leaves[(index + 1) % 37], index, 37, path)
        assert not judged(tree.leaves[index], index, 36, path)
        assert not judged(tree.leaves[index], index, 37, [*path, ZERO])
        assert not judged(tree.leaves[index], index, 37, path[:-1])
    assert not judged(tree.leaves[0], 37, 37, [])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_consistency_is_judged_as_the_rfc_defines_it(log_chain: Any, reference_tree: Any, data: Any) -> None:
    network, wallet = log_chain
    contract = deployed(network, wallet)
    size2 = data.draw(st.integers(2, 130), "size2")
    size1 = data.draw(st.integers(1, size2 - 1), "size1")
    tree = reference_tree([keccak256(bytes([n])) for n in range(size2)])
    good = tree.consistency(size1, size2)
    states = (size1, tree.root(size1), size2, tree.root(size2))
    assert ac.consistent(network, contract, states, good)

    bit = data.draw(st.integers(0, len(good) * 256 - 1), "bit")
    flipped = bytearray(b"".join(good))
    flipped[bit // 8] ^= 1 << bit % 8
    assert not ac.consistent(
        network, contract, states, [bytes(flipped[i : i + 32]) for i in range(0, len(flipped), 32)]
    )
    cut = data.draw(st.integers(0, len(good) - 1), "cut")
    assert not ac.consistent(network, contract, states, good[:cut] + good[cut + 1 :])
    assert not ac.consistent(network, contract, states, [*good[:cut], META, *good[cut:]])
    for changed in (
        (size1, META, size2, states[3]),
        (size1, states[1], size2, META),
        (size2, states[3], size1, states[1]),
    ):
        assert not ac.consistent(network, contract, changed, good)


_CONTRACTS: dict[int, bytes] = {}


def deployed(network: Any, wallet: Wallet) -> bytes:
    """Return one contract for all examples: views leave nothing behind."""
    if id(network) not in _CONTRACTS:
        _CONTRACTS[id(network)] = ad.deploy(network, wallet).contract
    return _CONTRACTS[id(network)]


def test_consistency_at_the_edges(log: Any, tree: Any) -> None:
    def judged(*states: Any, path: list[bytes]) -> bool:
        return ac.consistent(log.network, log.address, states, path)

    root = tree.root(9)
    assert judged(9, root, 9, root, path=[])
    assert not judged(9, root, 9, root, path=[root])
    assert not judged(9, root, 9, META, path=[])
    assert not judged(0, ZERO, 9, root, path=[])
    assert not judged(0, ZERO, 0, ZERO, path=[])
    assert not judged(10, root, 9, root, path=[])
    assert not judged(2**64 - 1, root, 2**64 - 1, META, path=[])
    assert not judged(1, root, 2**64 - 1, META, path=[META] * 64)
    assert not judged(2**64 - 2, root, 2**64 - 1, META, path=[META] * 70)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_any_revert_decodes(data: bytes) -> None:
    assert ac.decode_error(data).name == "unknown" or len(data) % 32 == 4

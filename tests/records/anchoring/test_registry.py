"""The registrar's transactions: refused by name, never in an anchor's way, harmless when killed."""

from typing import Any

import pytest
from sqlalchemy import select

from sudonglian.chain import anchor_contract
from sudonglian.chain.network import NetworkUnreachable
from sudonglian.chain.wallet import Wallet
from sudonglian.records import anchor_book, fsck, registry
from sudonglian.records.anchor_work import AnchoringSettings
from sudonglian.records.signatures import NoRegistry
from sudonglian.records.tables import REGISTRATIONS

FOREVER = 2**64 - 1


class Killed(Exception):
    pass


def rpc(world: Any, method: str, *parameters: Any) -> Any:
    return world.network._ask(method, *parameters)


def held(world: Any, key: bytes) -> Any:
    with world.store.read() as connection:
        return registry.entry_of(world.network, anchor_book.live_chain(connection), key)


def saved(world: Any) -> list[Any]:
    with world.store.read() as connection:
        return list(connection.execute(select(REGISTRATIONS)))


def test_before_there_is_a_contract(world: Any, firms: Any) -> None:
    with pytest.raises(NoRegistry):
        firms.register(world, firms.sender)
    with pytest.raises(NoRegistry):
        held(world, firms.sender.address)
    assert saved(world) == []


def test_register_rotate_revoke(world: Any, firms: Any) -> None:
    firms.open(world)
    one, other = firms.sender, type(firms.sender)(firms.sender.uri, b"\x0b" * 32)
    assert held(world, one.address).party_id == one.party
    assert held(world, other.address) is None
    sent = firms.call(world, anchor_contract.rotate_data(one.address, other.address, FOREVER))
    moment = world.network.block(sent.block_number).timestamp
    assert held(world, one.address).window.valid_to == moment == held(world, other.address).window.valid_from
    firms.call(world, anchor_contract.revoke_data(other.address))
    assert held(world, other.address).window.revoked_at > moment
    with world.store.read() as connection:
        known = registry.known_keys(connection, world.chain())
    assert [(key.address, key.party) for key in known] == [
        (one.address, one.uri), (firms.receiver.address, firms.receiver.uri), (other.address, one.uri)
    ]  # fmt: skip
    assert registry.sender_of(saved(world)[0].raw_tx) == world.wallet.address
    assert fsck.fsck(world.store, world.keys, world.network)["ok"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (lambda firms: anchor_contract.register_data(firms.sender.address, firms.sender.party, 0, 9, 1), "KeyKnown"),
        (lambda firms: anchor_contract.register_data(b"\x01" * 20, firms.sender.party, 9, 9, 1), "InvalidParty"),
        (lambda _: anchor_contract.revoke_data(b"\x01" * 20), "KeyUnknown"),
        (lambda _: anchor_contract.rotate_data(b"\x01" * 20, b"\x02" * 20, FOREVER), "KeyUnknown"),
    ],
)
def test_what_the_contract_refuses_is_not_sent(world: Any, firms: Any, data: Any, says: str) -> None:
    firms.open(world)
    nonce, rows = world.network.nonce(world.wallet.address), len(saved(world))
    with pytest.raises(registry.RegistryRefused, match=says):
        firms.call(world, data(firms))
    assert (world.network.nonce(world.wallet.address), len(saved(world))) == (nonce, rows)


def test_a_key_without_the_role(world: Any, firms: Any) -> None:
    firms.open(world)
    with pytest.raises(registry.NotRegistrar):
        firms.call(world, anchor_contract.revoke_data(firms.sender.address), registrar=Wallet.generate())


@pytest.mark.parametrize("state", ["signed", "broadcast"])
def test_not_while_an_anchor_of_the_same_key_is_on_its_way(world: Any, firms: Any, state: str) -> None:
    firms.open(world)
    world.grow()
    world.until(state)
    before = world.in_flight()
    with pytest.raises(registry.RegistryBusy):
        firms.call(world, anchor_contract.revoke_data(firms.sender.address), wait_s=0)
    assert world.in_flight() == before
    world.advance()
    firms.call(world, anchor_contract.revoke_data(firms.sender.address), wait_s=0)


def test_not_while_another_process_anchors(world: Any, firms: Any) -> None:
    firms.open(world)
    with anchor_book.anchorer(world.reopen().store) as free:
        assert free
        with pytest.raises(registry.RegistryBusy, match="another process"):
            firms.call(world, anchor_contract.revoke_data(firms.sender.address), wait_s=0)


@pytest.mark.parametrize("point", ["registry.saved", "registry.pushed"])
@pytest.mark.parametrize("first", ["again", "anchor"])
def test_killed_at_any_point(world: Any, firms: Any, point: str, first: str) -> None:
    firms.open(world)

    def die(at: str) -> None:
        if at == point:
            raise Killed

    data = anchor_contract.register_data(firms.stranger.address, firms.stranger.party, 0, FOREVER, 3)
    with pytest.raises(Killed):
        firms.call(world, data, party=firms.stranger.uri, at=die)
    assert len(saved(world)) == 3
    world = world.reopen()
    if first == "anchor":
        world.grow()
        world.advance()
        assert len(world.finals()) == 2
    if point == "registry.saved":
        firms.call(world, data, party=firms.stranger.uri)
        # The same bytes if the nonce is still free, another transaction if an anchor took it.
        assert len(saved(world)) == (3 if first == "again" else 4)
    else:
        with pytest.raises(registry.RegistryRefused, match="KeyKnown"):
            firms.call(world, data, party=firms.stranger.uri)
    assert held(world, firms.stranger.address).party_id == firms.stranger.party
    world.grow()
    world.advance()
    assert fsck.fsck(world.store, world.keys, world.network)["ok"]


def test_a_node_that_goes_away(world: Any, firms: Any) -> None:
    firms.open(world)
    inner = world.network

    class Deaf:
        def send_raw(self, raw: bytes) -> bytes:
            raise NetworkUnreachable("no answer")

        def __getattr__(self, name: str) -> Any:
            return getattr(inner, name)

    world.network = Deaf()
    with pytest.raises(NetworkUnreachable):
        firms.register(world, firms.stranger)
    world.network = inner
    world.grow()
    world.advance()
    firms.register(world, firms.stranger)
    assert held(world, firms.stranger.address) is not None


@pytest.mark.anvil
def test_an_anchor_waits_for_a_registration_that_no_block_holds_yet(anvil_world: Any, firms: Any) -> None:
    world = anvil_world
    firms.open(world)
    rpc(world, "evm_setAutomine", False)
    sent = firms.call(world, anchor_contract.revoke_data(firms.sender.address), wait_s=0)
    assert sent.block_number is None
    with pytest.raises(registry.RegistryBusy):
        firms.call(world, anchor_contract.revoke_data(firms.receiver.address), wait_s=0)
    world.grow()
    assert world.advance() == ["planned", "waiting"]
    assert world.in_flight().nonce is None
    rpc(world, "evm_mine")
    assert held(world, firms.sender.address).window.revoked_at
    assert world.advance()[:2] == ["signed", "broadcast"]
    rpc(world, "evm_setAutomine", True)
    rpc(world, "evm_mine")
    firms.settle(world)
    assert len(world.finals()) == 2


@pytest.mark.anvil
def test_a_registration_that_never_gets_into_a_block_is_given_up(anvil_world: Any, firms: Any) -> None:
    world = anvil_world
    firms.open(world)
    rpc(world, "evm_setAutomine", False)
    firms.call(world, anchor_contract.revoke_data(firms.sender.address), wait_s=0)
    world.grow()
    assert world.advance()[-1] == "waiting"
    world.settings = AnchoringSettings(stuck_after_s=0)
    assert "signed" in [world.step().did for _ in range(3)]
    world.settings = AnchoringSettings()
    rpc(world, "evm_setAutomine", True)
    rpc(world, "evm_mine")
    firms.settle(world)
    assert len(world.finals()) == 2, "the anchor was mined, in the registration's place or after it"

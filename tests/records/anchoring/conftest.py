"""A log, its keys and a chain in one temporary folder: everything that anchoring needs, nothing of it pretended."""

import contextlib
import importlib.util
import json
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import select

from sudonglian.chain import anchor_contract, canonical, secp256k1, signature
from sudonglian.chain.embedded import EmbeddedNetwork
from sudonglian.chain.evm import JsonRpcNetwork
from sudonglian.chain.network import Network
from sudonglian.chain.wallet import Wallet
from sudonglian.records import anchor_book, anchor_succession, anchoring, intake, registry, sequencer, signatures
from sudonglian.records.anchor_succession import Heir
from sudonglian.records.anchor_work import AnchoringSettings, Progress, Work
from sudonglian.records.deployment import open_deployment
from sudonglian.records.derive import micros
from sudonglian.records.keys import Keys, hand_over
from sudonglian.records.log import Checkpoint
from sudonglian.records.store import Store
from sudonglian.records.tables import ANCHORS

ETHER = 10**18
START = datetime(2026, 1, 5, 0, 31, 7, tzinfo=UTC)
FIRM = "https://id.gs1.org/417/6901234000009"
ITEM = "https://id.gs1.org/01/06901234000016/21/{}"
PALLET = "https://id.gs1.org/00/069012340000000183"
LOT = "https://id.gs1.org/01/06901234000016/10/L7"


def _load(path: Path) -> ModuleType:
    name = "chain_nodes_for_records"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


NODES = _load(Path(__file__).resolve().parents[2] / "chain" / "conftest.py")


def event(number: int, **more: Any) -> dict[str, Any]:
    made = {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"sdl": "urn:sudonglian:ns:1:"}],
        "type": "ObjectEvent",
        "eventID": f"urn:uuid:00000000-0000-4000-8000-{number:012x}",
        "action": "OBSERVE",
        "bizStep": "shipping",
        "epcList": [ITEM.format(number)],
        "quantityList": [{"epcClass": LOT, "quantity": 10, "uom": "KGM"}],
        "eventTime": "2026-01-04T08:30:00+08:00",
        "eventTimeZoneOffset": "+08:00",
        "sdl:participants": [
            {"personRef": {"kind": "phone", "value": f"1990000{number:04d}"}, "role": "loader", "contact": "opened"}
        ],
        "sdl:containerNo": "CSQU3054383",
        **more,
    }
    return {name: value for name, value in made.items() if value is not None}


@dataclass
class World:
    """One deployment. `reopen` gives the same one as another process would see it."""

    folder: Path
    wallet: Wallet
    open_network: Callable[[], Network]
    url: str = ""
    settings: AnchoringSettings = field(default_factory=AnchoringSettings)
    now: datetime = START
    captured: list[bytes] = field(default_factory=list)
    origin: str = "sudonglian.test/log/1"
    admin: Wallet | None = None
    """Administers the contract and may pause it; the wallet itself if None."""
    heir: Wallet | None = None
    """The new anchoring key of a succession."""
    patience: int = 0
    """How often to look again for a block: a node that mines by itself takes a moment."""

    def __post_init__(self) -> None:
        self.url = self.url or f"sqlite:///{self.folder / 'log.db'}"
        self.keys = Keys.open(self.folder / "keys", create=True, origin=self.origin)
        self.store = Store(self.url)
        open_deployment(self.store, self.keys, self.now)
        self.network = self.open_network()

    @staticmethod
    def event(number: int, **more: Any) -> dict[str, Any]:
        return event(number, **more)

    def clock(self) -> datetime:
        self.now += timedelta(milliseconds=10)
        return self.now

    def capture(self, *events: dict[str, Any]) -> list[bytes]:
        raw = json.dumps(list(events)).encode()
        with self.store.write() as connection:
            result = intake.capture(connection, self.keys, raw, submitter=FIRM, now=self.clock())
        assert not result.refused
        hashes = [one.record_hash for one in result.records]
        self.captured += hashes
        return hashes

    def seal(self) -> Checkpoint:
        with self.store.write() as connection:
            sealed = sequencer.seal(connection, self.keys, self.clock())
        assert sealed is not None
        return sealed

    def grow(self, count: int = 1) -> Checkpoint:
        start = len(self.captured)
        self.capture(*(event(start + number) for number in range(count)))
        return self.seal()

    def step(self, **more: Any) -> Progress:
        return anchoring.step(self.store, self.network, self.wallet, self.settings, self.clock(), **more)

    def advance(self, **more: Any) -> list[str]:
        done: list[Progress] = []
        for _ in self._looks(done):
            done += anchoring.advance(self.store, self.network, self.wallet, self.settings, self.clock, **more)
        return [one.did for one in done]

    def _looks(self, done: list[Progress]) -> Iterator[None]:
        yield
        for _ in range(self.patience):
            if done[-1].did != "waiting":
                return
            time.sleep(0.02)
            done.pop()
            yield

    def until(self, did: str) -> Progress:
        for _ in range(40 + self.patience):
            progress = self.step()
            if progress.did == did:
                return progress
            if progress.did == "waiting" and self.patience:
                time.sleep(0.02)
        raise AssertionError(f"never {did}, at last {progress}")

    def work(self, wallet: Wallet, at: Callable[[str], None] = lambda _: None) -> Work:
        return Work(self.store, self.network, wallet, self.settings, micros(self.clock()), at)

    def succeed(self, at: Callable[[str], None] = lambda _: None, *, log_is_whole: bool = True) -> list[str]:
        """Go on with a succession until it has to wait or is over, as `contract succeed` does."""
        assert self.heir is not None
        heir = Heir(self.heir.address, log_is_whole, self.install)
        done: list[Progress] = []
        for _ in self._looks(done):
            done.append(anchor_succession.succeed(self.work(self.admin or self.wallet, at), heir))
            while done[-1].again:
                done.append(anchor_succession.succeed(self.work(self.admin or self.wallet, at), heir))
        return [one.did for one in done]

    def install(self) -> None:
        assert self.heir is not None
        hand_over(self.folder / "keys", self.heir.address)
        self.wallet = self.heir

    def chain(self) -> anchor_book.Chain:
        with self.store.read() as connection:
            found = anchor_book.live_chain(connection)
        assert found is not None
        return found

    def in_flight(self) -> anchor_book.Anchor:
        with self.store.read() as connection:
            found = anchor_book.in_flight(connection, self.chain().id)
        assert found is not None
        return found

    def finals(self) -> list[anchor_book.Anchor]:
        with self.store.read() as connection:
            return anchor_book.finals(connection, self.chain().id)

    def states(self) -> list[tuple[int, str]]:
        with self.store.read() as connection:
            query = select(ANCHORS.c.size, ANCHORS.c.state).order_by(ANCHORS.c.id)
            return [(size, state) for size, state in connection.execute(query)]

    def reopen(self) -> "World":
        other = World(self.folder, self.wallet, self.open_network, self.url, self.settings, self.now)
        other.captured, other.admin, other.heir = self.captured, self.admin, self.heir
        other.patience = self.patience
        return other

    def close(self) -> None:
        self.network.close()
        self.store.close()


def fund(network: Network, wallet: Wallet, ether: int = 100) -> None:
    """Give the wallet money of the development node's first account, which has ten thousand."""
    NODES.endow(network, wallet, ether)


@pytest.fixture
def wallet() -> Wallet:
    return Wallet.generate()


@pytest.fixture
def admin() -> Wallet:
    return Wallet.generate()


@pytest.fixture
def open_embedded(tmp_path: Path, wallet: Wallet, admin: Wallet) -> Callable[[], EmbeddedNetwork]:
    def open_it() -> EmbeddedNetwork:
        rich = {wallet.address: 1000 * ETHER, admin.address: 1000 * ETHER}
        return EmbeddedNetwork(tmp_path / "chain.db", genesis_accounts=rich, max_lead_s=NODES.FAST)

    return open_it


@pytest.fixture
def world(tmp_path: Path, wallet: Wallet, open_embedded: Callable[[], EmbeddedNetwork]) -> Iterator[World]:
    """A deployment on SQLite and the embedded chain."""
    made = World(tmp_path, wallet, open_embedded)
    yield made
    made.close()


@pytest.fixture
def anvil() -> Iterator[str]:
    """An anvil of the test's own, whose blocks it may replace."""
    with NODES.local_node("anvil") as url:
        yield url


@pytest.fixture
def anvil_world(tmp_path: Path, wallet: Wallet, anvil: str) -> Iterator[World]:
    yield from _world_on(tmp_path, wallet, anvil)


@pytest.fixture(scope="session")
def shared_anvil() -> Iterator[str]:
    with NODES.local_node("anvil") as url:
        yield url


@pytest.fixture
def quick_world(tmp_path: Path, wallet: Wallet, shared_anvil: str) -> Iterator[World]:
    """A deployment on an anvil that serves many, for tests that leave it mining as they found it."""
    for made in _world_on(tmp_path, wallet, shared_anvil, ether=10):
        made.patience = 500
        yield made


def _world_on(folder: Path, wallet: Wallet, url: str, ether: int = 100) -> Iterator[World]:
    made = World(folder, wallet, lambda: JsonRpcNetwork(url))
    fund(made.network, wallet, ether)
    yield made
    with contextlib.suppress(Exception):
        made.close()


@pytest.fixture
def postgres_world(
    tmp_path: Path, wallet: Wallet, open_embedded: Callable[[], EmbeddedNetwork], postgres: Any
) -> Iterator[World]:
    """The same with PostgreSQL."""
    with postgres.database() as url:
        made = World(tmp_path, wallet, open_embedded, url)
        yield made
        made.close()


class Nodes:
    """Nodes that a test starts by itself, on a port of its choice if one is to come back there."""

    local_node = staticmethod(NODES.local_node)
    fund = staticmethod(fund)

    @staticmethod
    @contextlib.contextmanager
    def free_port() -> Iterator[int]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        yield port

    @staticmethod
    def world(folder: Path, wallet: Wallet, url: str) -> World:
        made = World(folder, wallet, lambda: JsonRpcNetwork(url))
        fund(made.network, wallet)
        return made


@pytest.fixture
def nodes() -> Nodes:
    return Nodes()


@dataclass(frozen=True)
class Firm:
    """A firm of the tests: its key, and its URI in the registry."""

    uri: str
    key: bytes

    @property
    def address(self) -> bytes:
        return secp256k1.address_of_key(self.key)

    @property
    def party(self) -> bytes:
        return anchor_contract.party_id(self.uri)

    def sign(self, world: World, record: bytes, role: Any, other: "Firm", at: int = 1_767_573_067) -> bytes:
        made = signature.sign(self.key, world.keys.origin, record, role, other.party, at)
        return canonical.encode(made.to_json())


class Firms:
    """Three firms, and what they do with a world."""

    sender = Firm("https://id.gs1.org/417/9520001001017", b"\x01" * 32)
    receiver = Firm("https://id.gs1.org/417/9520001001024", b"\x02" * 32)
    stranger = Firm("https://id.gs1.org/417/9520001001093", b"\x03" * 32)
    fund = staticmethod(fund)

    @classmethod
    def handoff(cls, number: int, **more: Any) -> dict[str, Any]:
        named = {
            "sourceList": [{"type": "possessing_party", "source": cls.sender.uri}],
            "destinationList": [{"type": "possessing_party", "destination": "urn:epc:id:pgln:9520001.00102"}],
        }
        return event(number, **(named | more))

    @staticmethod
    def call(world: World, data: bytes, **more: Any) -> registry.Sent:
        given: dict[str, Any] = {"registrar": world.wallet, "anchorer": world.wallet.address, "wait_s": 20} | more
        return registry.send(world.store, world.network, data=data, settings=world.settings, clock=world.clock, **given)

    @classmethod
    def register(cls, world: World, firm: Firm, roles: int = 3, start: int = 0, end: int = 2**64 - 1) -> registry.Sent:
        data = anchor_contract.register_data(firm.address, firm.party, start, end, roles)
        return cls.call(world, data, party=firm.uri)

    @staticmethod
    def settle(world: World) -> None:
        """Anchor until nothing is left to do: a busy node may take a moment for a block."""
        for _ in range(100):
            if world.advance()[-1] == "idle":
                return
            time.sleep(0.1)
        raise AssertionError("never idle")

    @classmethod
    def open(cls, world: World) -> None:
        """Make the contract, and register the two that hand over."""
        world.grow()
        cls.settle(world)
        cls.register(world, cls.sender)
        cls.register(world, cls.receiver)

    @staticmethod
    def take(world: World, raw: bytes) -> signatures.StoredSignature:
        """What the doors do."""
        signed = signatures.read(raw, world.keys.origin)
        with world.store.read() as connection:
            known, chain = signatures.find(connection, signed.digest()), anchor_book.live_chain(connection)
        if known is not None:
            return known
        said = signatures.ask(world.network, chain, signed, world.clock())
        with world.store.write() as connection:
            live = anchor_book.live_chain(connection)
            return signatures.take(connection, signed, said, world.clock(), live=live)

    @staticmethod
    def of(world: World, record: bytes) -> list[signatures.StoredSignature]:
        with world.store.read() as connection:
            return signatures.of(connection, [record]).get(record, [])


@pytest.fixture
def firms() -> type[Firms]:
    return Firms

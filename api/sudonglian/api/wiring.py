"""Wiring: opens what the settings name (store, keys, network, wallet) and puts it into the hands of a command.

house.md (the doors hold no business rules); service.md, storage and work.
"""

import json
import math
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Final
from urllib.error import URLError

from sudonglian.api.console import Console
from sudonglian.api.errors import FileUnreadable, NothingHere, UsageRefused
from sudonglian.api.settings import LOCAL_CHAIN_IDS, Settings
from sudonglian.chain.errors import ChainError
from sudonglian.chain.network import Network
from sudonglian.chain.wallet import Wallet, checksum_address
from sudonglian.records import anchor_book, derive
from sudonglian.records.anchor_work import AnchoringSettings
from sudonglian.records.deployment import open_deployment
from sudonglian.records.keys import Keys
from sudonglian.records.store import Store

ETHER: Final = 10**18

EMBEDDED_FUNDS: Final = 1_000_000_000 * ETHER
"""What the embedded chain's genesis gives to the wallet: fees there move nothing but a number."""

LOCAL_FUNDS: Final = 100 * ETHER
"""What a local development node's own accounts give to the wallet: a hundredth of what each of them has."""

RPC_TIMEOUT_S: Final = 10

STARTING_PATIENCE_S: Final = 30
"""How long a program that stays waits for a database that is starting up: after a crash it recovers first."""

STARTING_LOOK_S: Final = 0.25
STARTING_TOLD_S: Final = 5


@dataclass
class House:
    """One opened deployment. The network is opened when it is first asked for."""

    settings: Settings
    store: Store
    keys: Keys
    _network: Network | None = field(default=None, repr=False)
    _opening: Lock = field(default_factory=Lock, repr=False)
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When the deployment was made."""

    @property
    def wallet(self) -> Wallet:
        """Return the key that pays for anchors, made on first use."""
        return Wallet.load_or_create(self.settings.wallet_file)

    @property
    def network(self) -> Network:
        """Return the network to anchor on."""
        if self._network is None:
            self._network = open_network(self.settings, self.wallet)
        return self._network

    def open_network_once(self) -> Network:
        """Return the network, whichever of several threads asks for it first."""
        with self._opening:
            return self.network

    def finality_depth(self) -> int:
        """Return after how many blocks an anchor is final here: at once where validators have sealed each block.

        Such a chain may make no blocks while nobody sends anything, so waiting for more could last for ever.
        """
        depth = self.settings.depth_on(self.network.identity().chain_id)
        if self.settings.finality_depth is not None or depth == 0:
            return depth
        head = self.network.block(self.network.head())
        return 0 if head is not None and head.is_qbft else depth

    def anchoring(self) -> AnchoringSettings:
        """Return after how many blocks an anchor is final here, and who administers a contract that is made next."""
        return AnchoringSettings(finality_depth=self.finality_depth(), admin=self._next_admin())

    def _next_admin(self) -> bytes | None:
        with self.store.read() as connection:
            if anchor_book.live_chain(connection) is not None and not self.settings.admin_file.exists():
                return None  # put away, as it should be
        return Wallet.load_or_create(self.settings.admin_file).address

    def fund_on_a_local_node(self, address: bytes) -> bool:
        """Give an empty account funds where the node's own accounts are open to all; tell whether that was so."""
        url = self.settings.rpc_url
        return url is not None and _fund_if_local(self.network, url, address)

    def close(self) -> None:
        """Let go of everything."""
        if self._network is not None:
            self._network.close()
        self.store.close()


@contextmanager
def open_house(console: Console, *, create: bool = True, patience_s: float = 0) -> Iterator[House]:
    """Give the deployment that the settings name, making it on first use and saying so.

    With patience, a database server that says that it is only starting up is waited for.

    Raises
    ------
    NothingHere
        There is none, and `create` is false.
    """
    settings = console.settings
    is_new = not settings.keys_dir.exists()
    if is_new and not create:
        raise NothingHere("no deployment lives here yet; `sudonglian capture` makes one", place=str(settings.data_dir))
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except FileExistsError as error:
        raise FileUnreadable("is a file; the data folder must be a folder", place=str(settings.data_dir)) from error
    except OSError as error:
        raise FileUnreadable(error.strerror or "cannot be made", place=str(settings.data_dir)) from error
    keys = Keys.open(settings.keys_dir, create=create, keks=settings.keks)
    if is_new:
        console.say("first use: made the data folder {folder} and the keys of a new log", folder=settings.data_dir)
    store = Store(settings.database_url)
    try:
        _await_start(console, store, patience_s)
        deployment = open_deployment(store, keys)
    except BaseException:
        store.close()
        raise
    house = House(settings, store, keys, created=derive.moment(deployment.created_us))
    try:
        yield house
    finally:
        house.close()


def _await_start(console: Console, store: Store, patience_s: float) -> None:
    now = told = time.monotonic()
    until = now + patience_s
    while now < until and store.is_starting():
        if now >= told:
            left = math.ceil(until - now)
            console.say("waiting for the database, which is starting up ({seconds} s left)", seconds=left)
            told = now + STARTING_TOLD_S
        time.sleep(STARTING_LOOK_S)
        now = time.monotonic()


def tell_of_carelessness(console: Console, house: House) -> None:
    """Say so if the database server may lose what it has committed: whoever runs it should know before it dies."""
    for name in house.store.careless():
        console.say("warning: the database server runs with {name}=off and may lose what was acknowledged", name=name)


def open_network(settings: Settings, wallet: Wallet) -> Network:
    """Return the network of the settings; on a local development node an empty wallet is given funds."""
    # Loaded when used: an EVM takes a second to import, and most commands never meet a chain.
    if settings.rpc_url is None:
        from sudonglian.chain.embedded import EmbeddedNetwork

        rich = {wallet.address: EMBEDDED_FUNDS}
        if not settings.chain_file.exists():
            # Nobody can send money there later: whoever may have to pay one day has it from the beginning.
            rich[Wallet.load_or_create(settings.admin_file).address] = EMBEDDED_FUNDS
        return EmbeddedNetwork(settings.chain_file, genesis_accounts=rich)
    network = open_remote(settings.rpc_url, "SUDONGLIAN_RPC_URL")
    try:
        _fund_if_local(network, settings.rpc_url, wallet.address)
    except BaseException:
        network.close()
        raise
    return network


def open_remote(url: str, place: str) -> Network:
    """Return a network by its URL; `place` names what gave the URL."""
    from sudonglian.chain.evm import JsonRpcNetwork

    if not url.startswith(("http://", "https://")):
        raise UsageRefused("not an http or https URL", place=place)
    return JsonRpcNetwork(url)


def _fund_if_local(network: Network, url: str, address: bytes) -> bool:
    is_due = network.identity().chain_id in LOCAL_CHAIN_IDS and network.balance(address) == 0
    if is_due:
        fund(url, address)
    return is_due


def fund(url: str, address: bytes) -> None:
    """Let the first account that a development node holds open send funds to the wallet."""
    accounts = _ask(url, "eth_accounts", [])
    if not isinstance(accounts, list) or not accounts:
        raise ChainError(f"the wallet {checksum_address(address)} is empty and the node holds no open account")
    gift = {"from": accounts[0], "to": checksum_address(address), "value": hex(LOCAL_FUNDS)}
    _ask(url, "eth_sendTransaction", [gift])


def _ask(url: str, method: str, parameters: list[object]) -> object:
    question = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
    request = urllib.request.Request(url, question, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=RPC_TIMEOUT_S) as response:
            answer = json.load(response)
    except (URLError, OSError, ValueError) as error:
        raise ChainError(f"{method}: no answer from the node", place=url) from error
    if not isinstance(answer, dict) or "result" not in answer:
        raise ChainError(f"{method} was refused", place=url)
    return answer["result"]

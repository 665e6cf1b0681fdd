"""The embedded chain: it keeps what it acknowledged, alone and with others, and says when its file was altered."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import rlp

from sudonglian.chain import anchor_contract as ac
from sudonglian.chain import anchor_deployment as ad
from sudonglian.chain.embedded import CHAIN_ID, ClockBehind, EmbeddedNetwork, NonceGap, WrongChainId
from sudonglian.chain.embedded_file import ChainDisk, ChainFileDamaged
from sudonglian.chain.errors import SudonglianError
from sudonglian.chain.network import AlreadyKnown, NetworkRefused, NetworkUnreachable
from sudonglian.chain.wallet import Transaction, Wallet

FAST = 10**9
WRITER = """
import json, sys
from pathlib import Path
from sudonglian.chain import anchor_contract as ac
from sudonglian.chain import anchor_deployment as ad
from sudonglian.chain.embedded import EmbeddedNetwork
from sudonglian.chain.network import NetworkRefused
from sudonglian.chain.wallet import Wallet

# Appends one record of no log after another and says so, until it is killed.
path, secret, contract = Path(sys.argv[1]), bytes.fromhex(sys.argv[2]), bytes.fromhex(sys.argv[3])
limit = int(sys.argv[4])
network, wallet = EmbeddedNetwork(path, max_lead_s=10**9), Wallet(secret)
for _ in range(limit):
    key = Wallet.generate().address
    data = ac.register_data(key, b"p" * 32, 1, 2, 1)
    while True:
        signed = ad.transaction(network, wallet, to=contract, data=data, gas=ad.CALL_GAS)
        try:
            network.send_raw(signed.raw)
        except NetworkRefused:
            continue  # another writer took the nonce
        break
    print(json.dumps([signed.tx_hash.hex(), key.hex()]), flush=True)
"""


def writer(path: Path, wallet: Wallet, contract: bytes, limit: int) -> "subprocess.Popen[str]":
    secret = wallet._key.secret.hex()
    command = [sys.executable, "-c", WRITER, str(path), secret, contract.hex(), str(limit)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def anchored(network: EmbeddedNetwork, wallet: Wallet, count: int) -> ad.Deployment:
    deployment = ad.deploy(network, wallet)
    for n in range(count):
        ad.execute(network, wallet, deployment.contract, ac.register_data(bytes([n + 1]) * 20, b"p" * 32, 1, 2, 1))
    return deployment


def test_a_chain_made_again_is_another(tmp_path: Path, wallet: Wallet) -> None:
    networks = [EmbeddedNetwork(tmp_path / name, genesis_accounts={wallet.address: 1}) for name in "ab"]
    one, two = (network.identity() for network in networks)
    assert one.chain_id == two.chain_id == CHAIN_ID == int.from_bytes(b"sudong", "big")
    assert one.genesis != two.genesis
    networks[0].close()
    assert EmbeddedNetwork(tmp_path / "a").identity() == one


def test_only_the_given_address_has_funds(embedded: EmbeddedNetwork, wallet: Wallet) -> None:
    assert embedded.balance(wallet.address) == 1000 * 10**18
    block = embedded.block(0)
    assert block is not None
    proof = embedded.proof(wallet.address, [], 0)
    # A trie of one leaf: there is no second account.
    assert len(proof.account_proof) == 1
    assert len(rlp.decode(proof.account_proof[0])) == 2


def test_a_lost_chain_is_recognised(tmp_path: Path, embedded: EmbeddedNetwork, wallet: Wallet) -> None:
    deployment = ad.deploy(embedded, wallet)
    again = EmbeddedNetwork(tmp_path / "again", genesis_accounts={wallet.address: 10**21}, max_lead_s=FAST)
    assert ad.recognise(again, deployment) is ad.Recognition.EMPTY
    assert ad.deploy(again, wallet).contract == deployment.contract
    # The same address and code, under another genesis: not what was anchored to.
    assert ad.recognise(again, deployment) is ad.Recognition.EMPTY


def test_refuses_another_chains_transaction_and_a_nonce_gap(embedded: EmbeddedNetwork, wallet: Wallet) -> None:
    def send(chain_id: int, nonce: int) -> None:
        transaction = Transaction(chain_id, nonce, 10**10, 0, 21_000, bytes(20), b"")
        embedded.send_raw(wallet.sign(transaction).raw)

    with pytest.raises(WrongChainId):
        send(31337, 0)
    with pytest.raises(NonceGap):
        send(CHAIN_ID, 1)
    send(CHAIN_ID, 0)
    assert (embedded.head(), embedded.nonce(wallet.address)) == (1, 1)


@pytest.mark.parametrize(
    "raw", [b"", b"\x00", b"\x02", b"\xc0", b"\x02\xc0", b"\xff" * 40, b"\x02" + b"\xf8" * 200, bytes(200_000)]
)
def test_refuses_garbage_by_name(embedded: EmbeddedNetwork, raw: bytes) -> None:
    with pytest.raises(NetworkRefused):
        embedded.send_raw(raw)


def test_a_flipped_bit_of_a_transaction_is_never_executed_for_its_sender(
    embedded: EmbeddedNetwork, wallet: Wallet
) -> None:
    raw = wallet.sign(Transaction(CHAIN_ID, 0, 10**10, 0, 21_000, bytes(20), b"", 5)).raw
    for place in range(0, len(raw) * 8, 7):
        changed = bytearray(raw)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(NetworkRefused):
            embedded.send_raw(bytes(changed))
    assert embedded.nonce(wallet.address) == 0


def test_the_clock_is_fresh_and_its_lead_is_bounded(chain_path: Path, wallet: Wallet) -> None:
    network = EmbeddedNetwork(chain_path, genesis_accounts={wallet.address: 10**21}, max_lead_s=1)
    for nonce in range(4):
        network.send_raw(wallet.sign(Transaction(CHAIN_ID, nonce, 10**10, 0, 21_000, bytes(20), b"")).raw)
        block = network.block(nonce + 1)
        assert block is not None
        assert -1 <= block.timestamp - int(time.time()) <= 1


def test_a_clock_that_was_set_back_is_named(chain_path: Path, wallet: Wallet) -> None:
    network = EmbeddedNetwork(chain_path, genesis_accounts={wallet.address: 10**21}, max_lead_s=FAST)
    for nonce in range(90):
        network.send_raw(wallet.sign(Transaction(CHAIN_ID, nonce, 10**10, 0, 21_000, bytes(20), b"")).raw)
    network.close()
    # Seen from a chain that ran ahead, the clock was set back.
    careful = EmbeddedNetwork(chain_path)
    with pytest.raises(ClockBehind):
        careful.send_raw(wallet.sign(Transaction(CHAIN_ID, 90, 10**10, 0, 21_000, bytes(20), b"")).raw)


def test_killed_writers_lose_nothing_that_they_acknowledged(
    embedded: EmbeddedNetwork, chain_path: Path, wallet: Wallet
) -> None:
    contract = ad.deploy(embedded, wallet).contract
    embedded.close()
    acknowledged: list[tuple[bytes, bytes]] = []
    for turn in range(12):
        process = writer(chain_path, wallet, contract, limit=10**6)
        assert process.stdout is not None
        for _ in range(turn % 4 + 1):
            tx, key = json.loads(process.stdout.readline())
            acknowledged.append((bytes.fromhex(tx), bytes.fromhex(key)))
        time.sleep(turn * 0.0017)
        process.send_signal(signal.SIGKILL)
        process.wait()
        for line in process.stdout:
            if line.endswith("\n"):
                tx, key = json.loads(line)
                acknowledged.append((bytes.fromhex(tx), bytes.fromhex(key)))
    network = EmbeddedNetwork(chain_path, max_lead_s=FAST)
    assert len(acknowledged) >= 12
    for tx, key in acknowledged:
        receipt = network.receipt(tx)
        assert receipt is not None
        assert receipt.status == 1
        assert ac.party(network, contract, key) is not None
    # What was sealed and not yet acknowledged may be there too, wholly.
    assert network.nonce(wallet.address) >= len(acknowledged) + 1
    assert network.integrity().blocks == network.head() + 1 == network.nonce(wallet.address) + 1


def test_processes_write_one_after_another_and_read_at_any_time(
    embedded: EmbeddedNetwork, chain_path: Path, wallet: Wallet
) -> None:
    contract = ad.deploy(embedded, wallet).contract
    processes = [writer(chain_path, wallet, contract, limit=8) for _ in range(3)]
    heads = []
    while any(process.poll() is None for process in processes):
        heads.append(embedded.head())
        block = embedded.block(heads[-1])
        assert block is not None
        time.sleep(0.002)
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert heads == sorted(heads)
    said = [json.loads(line) for p in processes if p.stdout for line in p.stdout]
    assert len({tx for tx, _ in said}) == 24
    assert embedded.head() == 25
    # This process, too, goes on from what the others wrote.
    ad.execute(embedded, wallet, contract, ac.register_data(b"k" * 20, b"p" * 32, 1, 2, 1))
    assert embedded.head() == 26
    assert embedded.integrity().transactions == 26


def test_processes_that_make_the_chain_at_once_make_one(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from sudonglian.chain.embedded import EmbeddedNetwork as E;"
        "print(E(pathlib.Path(sys.argv[1]), genesis_accounts={bytes(20): 5}).identity().genesis.hex())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "chain.db")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    said = {process.communicate()[0] for process in processes}
    assert [process.returncode for process in processes] == [0] * 4
    assert len(said) == 1


def test_threads_share_one_network(embedded: EmbeddedNetwork, wallet: Wallet) -> None:
    errors: list[BaseException] = []
    raws = [wallet.sign(Transaction(CHAIN_ID, n, 10**10, 0, 21_000, bytes(20), b"")).raw for n in range(10)]

    def work() -> None:
        try:
            for raw in raws:
                while True:
                    try:
                        embedded.send_raw(raw)
                    except AlreadyKnown:
                        pass
                    except NonceGap:
                        continue
                    break
                embedded.proof(wallet.address, [bytes(32)], embedded.head())
        except BaseException as error:  # noqa: BLE001 - reported by the thread that asserts
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert embedded.head() == 10


def test_a_copy_is_the_same_chain_and_goes_on_alone(tmp_path: Path, embedded: EmbeddedNetwork, wallet: Wallet) -> None:
    deployment = anchored(embedded, wallet, 2)
    embedded.copy_to(tmp_path / "copy.db")
    copy = EmbeddedNetwork(tmp_path / "copy.db", max_lead_s=FAST)
    assert copy.identity() == embedded.identity()
    assert copy.integrity() == embedded.integrity()
    ad.execute(copy, wallet, deployment.contract, ac.register_data(b"k" * 20, b"p" * 32, 1, 2, 1))
    assert copy.head() == embedded.head() + 1
    with pytest.raises(SudonglianError):
        embedded.copy_to(tmp_path / "copy.db")
    assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(".")) == []


def test_a_disk_that_is_full_is_not_a_chain_that_is_away(embedded: EmbeddedNetwork, wallet: Wallet) -> None:
    anchored(embedded, wallet, 1)
    head, connection = embedded.head(), embedded._file.connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(ChainDisk, match="the disk is full") as refused:
        anchored(embedded, wallet, 20)
    assert (refused.value.slug, refused.value.place) == ("chain-disk", str(embedded.path))
    connection.execute("PRAGMA max_page_count = 1000000")
    reached = embedded.head()
    assert reached >= head
    anchored(embedded, wallet, 1)
    assert embedded.integrity().blocks == reached + 3


LIMITED = """
import resource, signal, sys
from pathlib import Path
from sudonglian.chain.embedded import EmbeddedNetwork
from sudonglian.chain.errors import SudonglianError
from sudonglian.chain.wallet import Transaction, Wallet

# No file of this process may grow beyond what the chain has: a quota.
path, secret, chain_id = Path(sys.argv[1]), bytes.fromhex(sys.argv[2]), int(sys.argv[3])
network, wallet = EmbeddedNetwork(path), Wallet(secret)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    network.send_raw(wallet.sign(Transaction(chain_id, 0, 10**10, 0, 21_000, bytes(20), b"")).raw)
except SudonglianError as error:
    print(error.slug)
"""


def test_a_file_that_may_not_grow_is_named(embedded: EmbeddedNetwork, chain_path: Path, wallet: Wallet) -> None:
    command = [sys.executable, "-c", LIMITED, str(chain_path), wallet._key.secret.hex(), str(CHAIN_ID)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("chain-disk\n", "")
    assert embedded.integrity().blocks == embedded.head() + 1


BATCH_THAT_FAILS = """
from contextlib import suppress
import sudonglian.chain.embedded
from eth.db.atomic import AtomicDB

with suppress(KeyError), AtomicDB().atomic_batch() as batch:
    batch[b"there is no such row"]
print("raised")
"""


def test_py_evm_prints_no_stack_trace_before_our_error() -> None:
    done = subprocess.run([sys.executable, "-c", BATCH_THAT_FAILS], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("raised\n", "")


def rows(path: Path) -> object:
    with sqlite3.connect(path) as connection:
        return connection.execute("SELECT k, v FROM kv ORDER BY k").fetchall()


def test_every_flipped_byte_that_alters_a_row_is_found(
    tmp_path: Path, embedded: EmbeddedNetwork, wallet: Wallet
) -> None:
    """Bytes of no row (free space inside pages, counters of the header) say nothing and may change."""
    anchored(embedded, wallet, 3)
    embedded.copy_to(tmp_path / "good.db")
    good = (tmp_path / "good.db").read_bytes()
    due = rows(tmp_path / "good.db")
    chance = random.Random(1)
    found = 0
    places = [*range(0, 100, 7), *(chance.randrange(len(good)) for _ in range(150))]
    for turn, place in enumerate(places):
        path = tmp_path / f"bad-{turn}.db"
        changed = bytearray(good)
        changed[place] ^= 1 << chance.randrange(8)
        path.write_bytes(changed)
        try:
            network = EmbeddedNetwork(path, max_lead_s=FAST)
            try:
                network.integrity()
            finally:
                network.close()
        except (ChainFileDamaged, NetworkUnreachable):
            found += 1
        else:
            assert rows(path) == due, f"byte {place}"
    assert found > 60


def test_damage_names_the_first_bad_block(tmp_path: Path, embedded: EmbeddedNetwork, wallet: Wallet) -> None:
    anchored(embedded, wallet, 6)
    for number in (0, 3, 5):
        path = tmp_path / f"{number}.db"
        embedded.copy_to(path)
        block = embedded.block(number)
        assert block is not None
        with sqlite3.connect(path) as connection:
            changed = bytearray(block.header_rlp)
            changed[100] ^= 1
            connection.execute("UPDATE kv SET v = ? WHERE k = ?", (bytes(changed), block.hash))
        with pytest.raises(ChainFileDamaged, match=f"block {number}:") as refused:
            EmbeddedNetwork(path).integrity()
        assert refused.value.block == number


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM kv WHERE k = (SELECT k FROM kv WHERE length(k) = 32 ORDER BY k LIMIT 1 OFFSET 7)",
        "UPDATE kv SET v = x'80' WHERE CAST(k AS TEXT) LIKE 'transaction-hash-to-block%'",
        "UPDATE kv SET v = x'80' WHERE CAST(k AS TEXT) LIKE 'block-hash-to-score%'",
        "UPDATE kv SET v = x'c0' WHERE CAST(k AS TEXT) LIKE 'v1:%gaps'",
        "UPDATE kv SET v = 'text' WHERE CAST(k AS TEXT) LIKE 'v1:canonical%'",
        "DELETE FROM kv WHERE CAST(k AS TEXT) LIKE 'v1:canonical%'",
        "DELETE FROM kv WHERE CAST(k AS TEXT) = 'block-number-to-hash:2'",
        "INSERT INTO kv VALUES (CAST('block-number-to-hash:99' AS BLOB), x'00')",
        "DROP TABLE kv",
        "PRAGMA application_id = 7",
    ],
)
def test_every_altered_row_is_found(tmp_path: Path, embedded: EmbeddedNetwork, wallet: Wallet, change: str) -> None:
    anchored(embedded, wallet, 2)
    path = tmp_path / "bad.db"
    embedded.copy_to(path)
    with sqlite3.connect(path) as connection:
        connection.execute(change)
    with pytest.raises(ChainFileDamaged):
        EmbeddedNetwork(path).integrity()


def test_another_file_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a chain " * 100)
    with pytest.raises(ChainFileDamaged):
        EmbeddedNetwork(tmp_path / "text")
    with pytest.raises(NetworkUnreachable):
        EmbeddedNetwork(tmp_path / "no" / "folder")
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE t (a)")
    with pytest.raises(ChainFileDamaged):
        EmbeddedNetwork(tmp_path / "other.db")


def test_a_closed_network_says_so(embedded: EmbeddedNetwork) -> None:
    embedded.close()
    with pytest.raises(NetworkUnreachable):
        embedded.head()


def test_the_file_holds_nothing_back_in_its_log(embedded: EmbeddedNetwork, chain_path: Path, wallet: Wallet) -> None:
    anchored(embedded, wallet, 1)
    assert os.path.getsize(f"{chain_path}-wal") == 0

"""Commands for parties' keys: a party makes its own, the operator enters it in the contract's registry.

docs/signing.md, docs/spec/contract.md (Parties); docs/decisions/0412 and 0413.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from sudonglian.api.commands.api_keys import keys
from sudonglian.api.console import DONE, INDETERMINATE, Console
from sudonglian.api.errors import FileUnreadable, UsageRefused
from sudonglian.api.parsing import address_of, moment, party_of
from sudonglian.api.passphrases import passphrase
from sudonglian.api.wiring import House, open_house
from sudonglian.chain import anchor_contract, keystore
from sudonglian.chain.anchor_contract import Party
from sudonglian.chain.signature import ROLES
from sudonglian.chain.wallet import Wallet, checksum_address, write_private
from sudonglian.records import anchor_book, registry
from sudonglian.records.anchor_work import AnchoringSettings
from sudonglian.records.registry import OPEN_END, Sent

WAIT_S: Final = 120
"""Some blocks of a public network; a consortium or local chain takes seconds."""

app = typer.Typer(help="Keys that sign handoffs for a party.", rich_markup_mode=None)

Key = Annotated[str, typer.Argument(metavar="ADDRESS", help="The key's address.")]
End = Annotated[str, typer.Option("--to", metavar="TIME", help="When it ends, with its offset; never if absent.")]
PassphraseFile = Annotated[
    str, typer.Option(metavar="FILE", help="Its first line is the passphrase; else SUDONGLIAN_PASSPHRASE, else asked.")
]
Registrar = Annotated[
    str, typer.Option(metavar="FILE", help="The key file that pays and holds REGISTRAR; the anchoring key if absent.")
]
Wait = Annotated[int, typer.Option(min=0, metavar="SECONDS", help="How long to wait for a block.")]


@app.command()
def create(
    context: typer.Context,
    keyfile: Annotated[Path, typer.Option(metavar="FILE", help="The new keyfile; never over another one.")],
    passphrase_file: PassphraseFile = "",
) -> int:
    """Make a party's key, encrypted in a file, and print its address; needs no deployment."""
    console: Console = context.obj
    if keyfile.exists():
        raise FileUnreadable("there is a file already", place=str(keyfile))
    secret = passphrase(console, passphrase_file, twice=True)
    wallet, raw = _sealed(secret)
    try:
        write_private(keyfile, raw)
    except OSError as error:
        raise FileUnreadable(error.strerror or "cannot be written", place=str(keyfile)) from error
    address = checksum_address(wallet.address)
    told = {"address": address, "keyfile": str(keyfile)}
    console.emit(told, [address, console.text("give the address to the registrar; keep the file and its passphrase")])
    return DONE


@app.command("register")
def register_key(
    context: typer.Context,
    key: Annotated[str, typer.Option(metavar="ADDRESS", help="The key's address.")],
    party: Annotated[str, typer.Option(metavar="PARTY", help="Whose key it is: a GLN, or the URI that records use.")],
    roles: Annotated[str, typer.Option(metavar="ROLES", help="What it signs as: consignor, consignee, or both.")],
    start: Annotated[
        str, typer.Option("--from", metavar="TIME", help="When it begins, with its offset; now if absent.")
    ] = "",
    end: End = "",
    registrar: Registrar = "",
    wait: Wait = WAIT_S,
) -> int:
    """Enter a key in the contract's registry; exit 2 if no block has it in time."""
    uri = party_of(party, "--party")
    address, bits, ends = address_of(key), _roles(roles), _end(end)
    begins = _second(start, "--from") if start else None

    def data(now_s: int) -> bytes:
        first = now_s if begins is None else begins
        return anchor_contract.register_data(address, anchor_contract.party_id(uri), first, ends, bits)

    return _send(context.obj, data, address, registrar, wait, party=uri)


@app.command()
def rotate(
    context: typer.Context,
    old: Annotated[str, typer.Argument(metavar="OLD", help="The address of the key that ends now.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The address of the key that begins now.")],
    end: End = "",
    registrar: Registrar = "",
    wait: Wait = WAIT_S,
) -> int:
    """Let a new key take the place of one in force: same party, same roles."""
    data = anchor_contract.rotate_data(address_of(old), address_of(new), _end(end))
    return _send(context.obj, lambda _: data, address_of(new), registrar, wait)


@app.command()
def revoke(context: typer.Context, key: Key, registrar: Registrar = "", wait: Wait = WAIT_S) -> int:
    """End a key at once and for good; what it signed and was anchored before stays signed."""
    data = anchor_contract.revoke_data(address_of(key))
    return _send(context.obj, lambda _: data, address_of(key), registrar, wait)


@app.command()
def show(context: typer.Context, key: Key) -> int:
    """Show what the registry says of a key; exit 1 if it does not know it."""
    console: Console = context.obj
    address = address_of(key)
    with open_house(console, create=False) as house:
        found = _entry(house, address)
        document = {"address": checksum_address(address), **_told(house, found, _names(house))}
    console.emit(document, _lines(document))
    return DONE if found is not None else 1


@app.command("list")
def list_(context: typer.Context) -> int:
    """List the keys that were entered from here, and what the registry says of each."""
    console: Console = context.obj
    with open_house(console, create=False) as house:
        with house.store.read() as connection:
            chain = anchor_book.live_chain(connection)
            known = [] if chain is None else registry.known_keys(connection, chain)
        names = _names(house)
        told = [
            {"address": checksum_address(one.address), **_told(house, _entry(house, one.address), names)}
            for one in known
        ]
    lines = [f"{one['address']}  {one['state']:<8} {','.join(one['roles'])}  {one['party'] or '—'}" for one in told]
    console.emit({"keys": told}, lines)
    return DONE


def register(_root: typer.Typer) -> None:
    """Add these commands to the command line."""
    keys.add_typer(app, name="party")


def _sealed(secret: str) -> tuple[Wallet, bytes]:
    wallet = Wallet.generate()
    return wallet, keystore.encrypt(wallet.secret, secret)


def _send(
    console: Console, data: Callable[[int], bytes], key: bytes, registrar: str, wait_s: int, *, party: str | None = None
) -> int:
    with open_house(console, create=False) as house:
        payer = Wallet.load(Path(registrar)) if registrar else house.wallet
        settings = AnchoringSettings(finality_depth=house.finality_depth())
        sent = registry.send(
            house.store,
            house.network,
            payer,
            house.wallet.address,
            data(_now_s(house, min)),
            settings,
            lambda: datetime.now(UTC),
            party=party,
            wait_s=wait_s,
        )
        told = _told(house, _entry(house, key), _names(house))
    document = {"address": checksum_address(key), **told, "tx": sent.tx_hash.hex(), "block": sent.block_number}
    console.emit(document, [*_lines(document), _sent(console, sent)])
    return DONE if sent.block_number is not None else INDETERMINATE


def _sent(console: Console, sent: Sent) -> str:
    if sent.block_number is None:
        return console.text("sent, and in no block yet: transaction {tx}", tx=sent.tx_hash.hex())
    return console.text("in block {block}: transaction {tx}", block=sent.block_number, tx=sent.tx_hash.hex())


def _entry(house: House, key: bytes) -> Party | None:
    with house.store.read() as connection:
        chain = anchor_book.live_chain(connection)
    return registry.entry_of(house.network, chain, key)


def _names(house: House) -> dict[bytes, str]:
    with house.store.read() as connection:
        return registry.party_names(connection)


def _told(house: House, found: Party | None, names: dict[bytes, str]) -> dict[str, Any]:
    if found is None:
        return {"state": "unknown", "party": None, "party_id": None, "roles": [], "from": None, "to": None}
    window = found.window
    return {
        "state": window.state_at(_now_s(house, max)),
        "party": names.get(found.party_id),
        "party_id": found.party_id.hex(),
        "roles": [role for role, bit in ROLES.items() if window.roles & bit],
        "from": window.valid_from,
        "to": None if window.valid_to == OPEN_END else window.valid_to,
        "revoked": window.revoked_at or None,
    }


def _now_s(house: House, choose: Callable[[int, int], int]) -> int:
    """Return the clock's second or that of the chain's head: the earlier one begins a key, the later one judges it."""
    clock = int(datetime.now(UTC).timestamp())
    head = house.network.block(house.network.head())
    return clock if head is None else choose(clock, head.timestamp)


def _lines(document: dict[str, Any]) -> Iterator[str]:
    for name, value in document.items():
        if name not in ("tx", "block"):
            yield f"{name}: {','.join(value) if isinstance(value, list) else '—' if value is None else value}"


def _roles(text: str) -> int:
    bits = 0
    for name in text.split(","):
        if name.strip() not in ROLES:
            raise UsageRefused(f"{name.strip()[:40]!r} is neither consignor nor consignee", place="--roles")
        bits |= ROLES[name.strip()]
    return bits


def _end(text: str) -> int:
    return _second(text, "--to") if text else OPEN_END


def _second(text: str, place: str) -> int:
    found = int(moment(text, place).timestamp())
    if found < 0:
        raise UsageRefused("before 1970", place=place)
    return found

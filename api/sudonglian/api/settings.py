"""Settings: everything that may differ from one installation to the next, read from the environment here alone.

house.md (only api settings read the environment); the table below is the one that README.md prints.
"""

import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, NamedTuple, TypeAlias

from sudonglian.api.errors import SettingRefused
from sudonglian.chain.errors import SudonglianError
from sudonglian.chain.identifiers.digital_link import DOMAIN
from sudonglian.chain.identifiers.epc import PREFIX_LENGTHS
from sudonglian.records.keks import Keks, Ring, parse
from sudonglian.records.keys import ADMIN_FILE, ANCHOR_FILE, NEXT_ANCHOR_FILE
from sudonglian.records.store import Store
from sudonglian.records.temperature.classes import ProductClass, known, with_file
from sudonglian.records.temperature.errors import ClassRefused

Lang: TypeAlias = Literal["zh", "en"]

LOCAL_CHAIN_IDS: Final = frozenset({31337, 1337})
"""Hardhat and anvil, ganache: one process that mines at once and never reorganises unless it is told to."""

PUBLIC_DEPTH: Final = 12
"""The customary number of blocks after which nobody expects a proof-of-work or young network to turn back."""

_RESOLVER = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+(?:/[A-Za-z0-9._~\-]+)*/?", re.ASCII)

_HOST = re.compile(r"[a-z0-9.\-]+|[0-9a-f:.]*:[0-9a-f:.]*", re.ASCII)

MAX_THRESHOLDS: Final = 1024 * 1024
"""Bytes of a file of product classes; each has some hundred."""

MAX_SUBMITTER: Final = 2_000
"""docs/spec/record.md rule 1."""


class Setting(NamedTuple):
    """One variable: its name, what holds when it is absent, and what it means."""

    name: str
    default: str
    meaning: str


SETTINGS: Final = (
    Setting("SUDONGLIAN_DATA", "~/.local/share/sudonglian", "The data folder; --data-dir goes before it."),
    Setting("SUDONGLIAN_DATABASE_URL", "SQLite in the data folder", "An SQLAlchemy URL, for PostgreSQL."),
    Setting("SUDONGLIAN_KEYS", "keys in the data folder", "The folder of the keys."),
    Setting(
        "SUDONGLIAN_KEK_FILE",
        "kek.key in the folder of the keys",
        "The file of the key-encryption keys, one a line, the newest last.",
    ),
    Setting(
        "SUDONGLIAN_KEK",
        "read from the file",
        "Key-encryption keys themselves, separated by commas, the newest last.",
    ),
    Setting("SUDONGLIAN_RPC_URL", "embedded chain in the data folder", "JSON-RPC of the EVM network to anchor on."),
    Setting(
        "SUDONGLIAN_FINALITY_DEPTH",
        "0 for the embedded chain, local development nodes and QBFT, 12 otherwise",
        "Blocks on top of an anchor before it is final.",
    ),
    Setting("SUDONGLIAN_SEAL_EVERY", "1000", "The worker seals when this many entries wait."),
    Setting("SUDONGLIAN_SEAL_AFTER", "10", "The worker seals when an entry has waited this many seconds."),
    Setting(
        "SUDONGLIAN_RETENTION",
        "daily",
        "The worker erases whoever's time is over once a day; off leaves that to `sudonglian people retain`.",
    ),
    Setting("SUDONGLIAN_SUBMITTER", "urn:sudonglian:submitter:local", "Who submits, if --submitter does not say."),
    Setting(
        "SUDONGLIAN_COMPANY_PREFIXES",
        "those in the URNs of an answer",
        "GS1 company prefixes, separated by commas: by them a Digital Link becomes an EPC URN.",
    ),
    Setting(
        "SUDONGLIAN_RESOLVER",
        "https://id.gs1.org",
        "The address before the GS1 Digital Links of labels: where this server is reached.",
    ),
    Setting(
        "SUDONGLIAN_WEBHOOK_HOSTS",
        "none",
        "Hosts inside your own network that webhooks may lead to, with http too, separated by commas.",
    ),
    Setting("SUDONGLIAN_SMALLEST_COUNT", "5", "Counts of people below it are hidden."),
    Setting(
        "SUDONGLIAN_THRESHOLDS",
        "the table's classes",
        "JSON with product classes of this installation's own, by which all temperatures are judged.",
    ),
    Setting(
        "SUDONGLIAN_PASSPHRASE",
        "asked for on the terminal",
        "Opens a party's keyfile; --passphrase-file goes before it.",
    ),
    Setting("SUDONGLIAN_LANG", "from LC_ALL, LC_MESSAGES, LANG", "Language of the words: zh or en."),
)
"""A test compares this with README.md."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one run, checked."""

    data_dir: Path
    keys_dir: Path
    database_url: str
    rpc_url: str | None
    finality_depth: int | None
    seal_every: int
    seal_after_s: int
    submitter: str
    company_prefixes: frozenset[str]
    resolver: str
    lang: Lang
    retains: bool = True
    classes: Mapping[str, ProductClass] = field(default_factory=known)
    """The product classes by which temperatures are judged."""
    smallest_count: int = 5
    passphrase: str | None = field(default=None, repr=False)
    keks: Keks | Path | None = field(default=None, repr=False)
    """Who holds the key-encryption keys, if not the folder of the keys."""
    webhook_hosts: frozenset[str] = frozenset()
    """Hosts inside one's own network that webhooks may lead to, and to which http is enough."""
    names_submitter: bool = True
    """Whether somebody has said who submits here."""

    @property
    def chain_file(self) -> Path:
        """Return where the embedded chain lives."""
        return self.data_dir / "chain.db"

    @property
    def wallet_file(self) -> Path:
        """Return where the key that pays for anchors lives."""
        return self.keys_dir / ANCHOR_FILE

    @property
    def next_wallet_file(self) -> Path:
        """Return where the anchoring key of a successor waits."""
        return self.keys_dir / NEXT_ANCHOR_FILE

    @property
    def admin_file(self) -> Path:
        """Return where the key that administers the contract lives, until it is put away."""
        return self.keys_dir / ADMIN_FILE

    @property
    def is_embedded_database(self) -> bool:
        """Whether the database is a file of the data folder."""
        return self.database_url == f"sqlite:///{self.data_dir / 'sudonglian.db'}"

    def depth_on(self, chain_id: int) -> int:
        """Return after how many blocks an anchor on this chain is final."""
        if self.finality_depth is not None:
            return self.finality_depth
        return 0 if self.rpc_url is None or chain_id in LOCAL_CHAIN_IDS else PUBLIC_DEPTH


def read(environment: Mapping[str, str] | None = None, *, data_dir: str | None = None) -> Settings:
    """Return the settings of this process (or of another environment), `data_dir` going before the variable.

    Raises
    ------
    SettingRefused
        A value that the variable cannot have; the variable stands in `.place`.
    """
    env = os.environ if environment is None else environment
    given = {setting.name: env[setting.name] for setting in SETTINGS if env.get(setting.name, "").strip()}
    data = (
        _folder(data_dir, "--data-dir") if data_dir else _folder(given.get("SUDONGLIAN_DATA"), "SUDONGLIAN_DATA", env)
    )
    keys = given.get("SUDONGLIAN_KEYS")
    return Settings(
        data_dir=data,
        keys_dir=_folder(keys, "SUDONGLIAN_KEYS") if keys else data / "keys",
        database_url=_database(given.get("SUDONGLIAN_DATABASE_URL"), data),
        rpc_url=_rpc(given.get("SUDONGLIAN_RPC_URL")),
        finality_depth=_number(given, "SUDONGLIAN_FINALITY_DEPTH", None, 0),
        seal_every=_number(given, "SUDONGLIAN_SEAL_EVERY", 1000, 1) or 1000,
        seal_after_s=_number(given, "SUDONGLIAN_SEAL_AFTER", 10, 0) or 0,
        submitter=submitter(
            given.get("SUDONGLIAN_SUBMITTER", "urn:sudonglian:submitter:local"), "SUDONGLIAN_SUBMITTER"
        ),
        company_prefixes=company_prefixes(
            given.get("SUDONGLIAN_COMPANY_PREFIXES", "").split(","), "SUDONGLIAN_COMPANY_PREFIXES"
        ),
        resolver=_resolver(given.get("SUDONGLIAN_RESOLVER")),
        classes=_classes(given.get("SUDONGLIAN_THRESHOLDS"), "SUDONGLIAN_THRESHOLDS"),
        lang=language(env),
        smallest_count=_number(given, "SUDONGLIAN_SMALLEST_COUNT", 5, 1) or 5,
        passphrase=given.get("SUDONGLIAN_PASSPHRASE"),
        keks=_keks(given),
        webhook_hosts=_hosts(given.get("SUDONGLIAN_WEBHOOK_HOSTS", "")),
        names_submitter="SUDONGLIAN_SUBMITTER" in given,
        retains=_retains(given.get("SUDONGLIAN_RETENTION", "daily")),
    )


def language(environment: Mapping[str, str] | None = None) -> Lang:
    """Return the language that the environment asks for.

    >>> language({"LANG": "zh_CN.UTF-8"}), language({"LANG": "C.UTF-8"}), language({"SUDONGLIAN_LANG": "zh"})
    ('zh', 'en', 'zh')
    """
    env = os.environ if environment is None else environment
    if asked := env.get("SUDONGLIAN_LANG", "").strip():
        return lang(asked, "SUDONGLIAN_LANG")
    wanted = env.get("LC_ALL") or env.get("LC_MESSAGES") or env.get("LANG") or ""
    return "zh" if wanted.lower().startswith("zh") else "en"


def lang(text: str, place: str) -> Lang:
    """Return a language by its name, or refuse it."""
    match text:
        case "zh" | "en":
            return text
        case _:
            raise SettingRefused(f"{text!r} is neither zh nor en", place=place)


def submitter(text: str, place: str) -> str:
    """Return a submitter's URI, or refuse what cannot be one."""
    scheme, colon, rest = text.partition(":")
    if not (colon and rest and scheme.isascii() and scheme[:1].isalpha()) or len(text) > MAX_SUBMITTER or " " in text:
        raise SettingRefused(f"{text[:80]!r} is not a URI of at most {MAX_SUBMITTER} characters", place=place)
    return text


def company_prefixes(texts: Iterable[str], place: str) -> frozenset[str]:
    """Return GS1 company prefixes, or refuse what cannot be one; empty texts are none.

    >>> sorted(company_prefixes(["0614141", " 6901234 ", ""], "--prefix"))
    ['0614141', '6901234']
    """
    found = frozenset(text.strip() for text in texts if text.strip())
    for text in found:
        if not (text.isascii() and text.isdigit() and len(text) in PREFIX_LENGTHS):
            raise SettingRefused(f"{text[:40]!r} is not a GS1 company prefix of 6 to 12 digits", place=place)
    return found


def _folder(text: str | None, name: str, env: Mapping[str, str] | None = None) -> Path:
    try:
        if text:
            return Path(text).expanduser().absolute()
        shared = (env or {}).get("XDG_DATA_HOME")
        return (Path(shared) if shared else Path.home() / ".local" / "share").absolute() / "sudonglian"
    except (RuntimeError, OSError, ValueError) as error:
        raise SettingRefused(f"no such folder can be named: {error}", place=name) from error


def _database(text: str | None, data: Path) -> str:
    if text is None:
        return f"sqlite:///{data / 'sudonglian.db'}"
    try:
        Store(text).close()
    except SudonglianError as error:
        # A URL may hold a password: it is not repeated.
        raise SettingRefused(
            "not a database URL that this program can open", place="SUDONGLIAN_DATABASE_URL"
        ) from error
    return text


def _rpc(text: str | None) -> str | None:
    if text is not None and not text.startswith(("http://", "https://")):
        raise SettingRefused("not an http or https URL", place="SUDONGLIAN_RPC_URL")
    return text


def _classes(file: str | None, name: str) -> Mapping[str, ProductClass]:
    if file is None:
        return known()
    try:
        with open(Path(file).expanduser(), "rb") as opened:
            return with_file(opened.read(MAX_THRESHOLDS + 1)[:MAX_THRESHOLDS])
    except (OSError, RuntimeError, ValueError) as error:
        raise SettingRefused(f"the file {file} cannot be read", place=name) from error
    except ClassRefused as refusal:
        raise SettingRefused(f"{file}{refusal.place}: {refusal.reason}", place=name) from refusal


def _resolver(text: str | None) -> str:
    if text is None:
        return DOMAIN
    if not _RESOLVER.fullmatch(text):
        raise SettingRefused(
            f"{text[:80]!r} is not an http or https address without query", place="SUDONGLIAN_RESOLVER"
        )
    return text.rstrip("/")


def _hosts(text: str) -> frozenset[str]:
    found = frozenset(one.strip().lower().strip("[]") for one in text.split(",") if one.strip())
    for one in found:
        if not _HOST.fullmatch(one):
            raise SettingRefused(
                f"{one[:80]!r} is not the name or address of a host, without a port", place="SUDONGLIAN_WEBHOOK_HOSTS"
            )
    return found


def _retains(text: str) -> bool:
    if text not in ("daily", "off"):
        raise SettingRefused(f"{text[:40]!r} is neither daily nor off", place="SUDONGLIAN_RETENTION")
    return text == "daily"


def _keks(given: Mapping[str, str]) -> Keks | Path | None:
    if (written := given.get("SUDONGLIAN_KEK")) is not None:
        try:
            return Ring(parse(written, "SUDONGLIAN_KEK"), "SUDONGLIAN_KEK")
        except SudonglianError as error:
            raise SettingRefused(error.reason, place=error.place) from error
    path = given.get("SUDONGLIAN_KEK_FILE")
    return None if path is None else _folder(path, "SUDONGLIAN_KEK_FILE")


def _number(given: Mapping[str, str], name: str, default: int | None, least: int) -> int | None:
    if (text := given.get(name)) is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= least):
        raise SettingRefused(f"{text[:40]!r} is not a whole number of at least {least}", place=name)
    return int(text)


def error_log(environment: Mapping[str, str] | None = None, *, data_dir: str | None = None) -> Path:
    """Return the file that keeps what no person should have to read, wherever it can be written."""
    try:
        return read(environment, data_dir=data_dir).data_dir / "log" / "errors.log"
    except SudonglianError:
        return Path(tempfile.gettempdir()) / "sudonglian-errors.log"

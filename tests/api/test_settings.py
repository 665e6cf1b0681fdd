"""Settings: defaults, what is refused and by which name, and that every one of them is documented."""

import ast
import re
from pathlib import Path

import pytest

from sudonglian.api import settings
from sudonglian.api.errors import SettingRefused
from sudonglian.records.temperature.classes import with_file

ROOT = Path(__file__).resolve().parents[2]


def test_defaults_live_in_the_users_own_data_folder(tmp_path: Path) -> None:
    found = settings.read({"XDG_DATA_HOME": str(tmp_path)})
    assert found.data_dir == tmp_path / "sudonglian"
    assert found.keys_dir == tmp_path / "sudonglian" / "keys"
    assert found.database_url == f"sqlite:///{tmp_path}/sudonglian/sudonglian.db"
    assert found.is_embedded_database
    assert (found.rpc_url, found.finality_depth, found.lang) == (None, None, "en")


def test_every_variable_has_its_effect(tmp_path: Path) -> None:
    stricter = tmp_path / "ours.json"
    stricter.write_text('{"classes": {"frozen": {"upper_c": "-20"}}}')
    found = settings.read(
        {
            "SUDONGLIAN_DATA": str(tmp_path / "a"),
            "SUDONGLIAN_DATABASE_URL": "postgresql+psycopg://localhost/x",
            "SUDONGLIAN_KEYS": str(tmp_path / "k"),
            "SUDONGLIAN_RPC_URL": "http://127.0.0.1:8545",
            "SUDONGLIAN_FINALITY_DEPTH": "3",
            "SUDONGLIAN_SEAL_EVERY": "5",
            "SUDONGLIAN_SEAL_AFTER": "0",
            "SUDONGLIAN_SUBMITTER": "https://id.gs1.org/417/9520001001017",
            "SUDONGLIAN_COMPANY_PREFIXES": "9520001, 6901234",
            "SUDONGLIAN_LANG": "zh",
            "SUDONGLIAN_PASSPHRASE": " a secret ",
            "SUDONGLIAN_RESOLVER": "https://q.example/a/",
            "SUDONGLIAN_THRESHOLDS": str(stricter),
            "SUDONGLIAN_WEBHOOK_HOSTS": "127.0.0.1, Hooks.Internal,[::1]",
        }
    )
    assert "a secret" not in repr(found)
    assert found == settings.Settings(
        data_dir=tmp_path / "a",
        keys_dir=tmp_path / "k",
        database_url="postgresql+psycopg://localhost/x",
        rpc_url="http://127.0.0.1:8545",
        finality_depth=3,
        seal_every=5,
        seal_after_s=0,
        submitter="https://id.gs1.org/417/9520001001017",
        company_prefixes=frozenset({"9520001", "6901234"}),
        resolver="https://q.example/a",
        lang="zh",
        passphrase=" a secret ",
        classes=with_file(stricter.read_bytes()),
        webhook_hosts=frozenset({"127.0.0.1", "hooks.internal", "::1"}),
    )
    assert [one.classes["frozen"].upper_c for one in (found, settings.read({}))] == [-20, -18]


def test_a_file_of_thresholds_that_is_none_is_refused_by_name_and_place(tmp_path: Path) -> None:
    file = tmp_path / "looser.json"
    for text, told in (
        ("{", "is not JSON"),
        ('{"classes": {"frozen": {"upper_c": "-10"}}}', "is looser"),
    ):
        file.write_text(text)
        with pytest.raises(SettingRefused) as refused:
            settings.read({"XDG_DATA_HOME": str(tmp_path), "SUDONGLIAN_THRESHOLDS": str(file)})
        assert refused.value.place == "SUDONGLIAN_THRESHOLDS"
        assert str(file) in refused.value.reason
        assert told in refused.value.reason


def test_the_option_goes_before_the_variable(tmp_path: Path) -> None:
    found = settings.read({"SUDONGLIAN_DATA": str(tmp_path / "a")}, data_dir=str(tmp_path / "b"))
    assert found.data_dir == tmp_path / "b"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SUDONGLIAN_DATABASE_URL", "not a url"),
        ("SUDONGLIAN_COMPANY_PREFIXES", "9520001,12345"),
        ("SUDONGLIAN_COMPANY_PREFIXES", "９５２０００１"),
        ("SUDONGLIAN_DATABASE_URL", "nosuchdialect://x"),
        ("SUDONGLIAN_RPC_URL", "ws://127.0.0.1:8545"),
        ("SUDONGLIAN_RPC_URL", "localhost:8545"),
        ("SUDONGLIAN_FINALITY_DEPTH", "-1"),
        ("SUDONGLIAN_FINALITY_DEPTH", "many"),
        ("SUDONGLIAN_FINALITY_DEPTH", "１２"),
        ("SUDONGLIAN_SEAL_EVERY", "0"),
        ("SUDONGLIAN_SEAL_EVERY", "99999999999"),
        ("SUDONGLIAN_SEAL_AFTER", "1.5"),
        ("SUDONGLIAN_SUBMITTER", "no scheme"),
        ("SUDONGLIAN_SUBMITTER", "urn:" + "x" * 2000),
        ("SUDONGLIAN_LANG", "fr"),
        ("SUDONGLIAN_THRESHOLDS", "/no/such/file.json"),
        ("SUDONGLIAN_THRESHOLDS", "/"),
        ("SUDONGLIAN_DATA", "~nosuchuser-here/data"),
    ],
)
def test_a_wrong_value_is_refused_by_the_variables_name(name: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(SettingRefused) as refused:
        settings.read({"XDG_DATA_HOME": str(tmp_path), name: value})
    assert refused.value.place == name


def test_a_password_in_a_database_url_is_not_repeated() -> None:
    with pytest.raises(SettingRefused) as refused:
        settings.read({"SUDONGLIAN_DATABASE_URL": "nosuch://me:verysecret@host/x", "XDG_DATA_HOME": "/tmp"})
    assert "verysecret" not in refused.value.diagnostics()


@pytest.mark.parametrize(
    ("rpc_url", "chain_id", "asked", "depth"),
    [
        (None, 126948033392231, None, 0),
        ("http://x", 31337, None, 0),
        ("http://x", 1, None, 12),
        ("http://x", 1, "64", 64),
        ("http://x", 31337, "2", 2),
    ],
)
def test_finality_depth_follows_the_chain_unless_it_is_set(
    rpc_url: str | None, chain_id: int, asked: str | None, depth: int, tmp_path: Path
) -> None:
    given = {"XDG_DATA_HOME": str(tmp_path)}
    if rpc_url:
        given["SUDONGLIAN_RPC_URL"] = rpc_url
    if asked:
        given["SUDONGLIAN_FINALITY_DEPTH"] = asked
    assert settings.read(given).depth_on(chain_id) == depth


def test_the_environment_is_read_in_one_module_alone() -> None:
    """Nobody else looks at os.environ or os.getenv."""
    elsewhere = []
    for room in ("chain", "records", "trace", "api"):
        for file in sorted((ROOT / room / "sudonglian").rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb"):
                    elsewhere.append(file.relative_to(ROOT).as_posix())
    assert set(elsewhere) == {"api/sudonglian/api/settings.py"}


def test_every_setting_stands_in_the_readme_as_in_the_table() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for setting in settings.SETTINGS:
        assert f"| `{setting.name}` | {setting.default} | {setting.meaning} |" in readme


def test_every_variable_that_is_used_is_in_the_table() -> None:
    used = set()
    for room in ("chain", "records", "trace", "api"):
        for file in (ROOT / room / "sudonglian").rglob("*.py"):
            used |= set(re.findall(r"SUDONGLIAN_[A-Z_]+", file.read_text(encoding="utf-8")))
    assert used == {setting.name for setting in settings.SETTINGS}


@pytest.mark.parametrize(
    "text", ["q.example", "ftp://q.example", "https://q.example/?a=b", "https://q.example/%2e", "https://a b"]
)
def test_a_resolver_is_an_address(text: str) -> None:
    with pytest.raises(SettingRefused):
        settings.read({"SUDONGLIAN_RESOLVER": text})

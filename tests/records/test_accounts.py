"""Accounts: passwords, second factors, locks, one-time links, sessions; times are given, nothing waits."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sudonglian.records import accounts, kek_rotation, passwords, second_factor, sessions, totp, vault
from sudonglian.records.accounts import FREE, AccountRefused, InviteRefused
from sudonglian.records.errors import StoreCorrupt
from sudonglian.records.keks import FileRing, KekRefused
from sudonglian.records.keys import Keys
from sudonglian.records.passwords import PasswordRefused
from sudonglian.records.second_factor import CodeRefused
from sudonglian.records.store import Store
from sudonglian.records.tables import ACCOUNTS, SESSIONS

NOW = datetime(2026, 1, 6, 12, 0, 5, tzinfo=UTC)
GOOD = "correct horse battery"


def made(store: Store, name: str = "wang", password: str = GOOD) -> accounts.Account:
    with store.write() as connection:
        _, code = accounts.invite(connection, name, ["epidemiologist"], NOW)
        return accounts.accept(connection, code, password, NOW)


def attempt(
    store: Store,
    keys: Keys,
    password: str,
    code: str = "",
    now: datetime = NOW,
    name: str = "wang",
    quick: bool = False,
) -> bool:
    with store.write() as connection:
        kept = accounts.password_hash(connection, name)
        right = kept is not None and password == GOOD if quick else passwords.fits(password, kept)
        return accounts.settle(connection, keys, name, kept, code, now, right=right) is not None


def test_a_password_is_kept_as_argon2id_and_compared_by_nfkc(store: Store, keys: Keys) -> None:
    made(store, password="ＣＯＲＲＥＣＴ horse ①②③")
    with store.read() as connection:
        kept = connection.execute(ACCOUNTS.select()).one().password_hash
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert attempt(store, keys, "CORRECT horse 123")
    assert not attempt(store, keys, "CORRECT horse 124")


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "a" * 11,
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "Wang.Fang@CDC1",
        "x" * 300,
        "１２３４５６７８９０１",
    ],
)
def test_bad_passwords_are_refused(password: str) -> None:
    with pytest.raises(PasswordRefused):
        passwords.check(password, "wang.fang@cdc", "Wang Fang")


@pytest.mark.parametrize("password", [GOOD, "忘川河畔三生石上彼岸花开", "wang.fang@cdc and a long sentence"])
def test_good_passwords_are_taken(password: str) -> None:
    passwords.check(password, "wang.fang@cdc", "Wang Fang")


def test_nobodys_password_is_never_right() -> None:
    assert not passwords.fits("x", None)
    assert not passwords.fits("\ud800" * 12, passwords.hashed(GOOD))


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_published_vectors_of_rfc_6238(at: int, code: str) -> None:
    secret = b"12345678901234567890"
    step = totp.step_at(datetime.fromtimestamp(at, UTC))
    assert totp.hotp(secret, step, 8) == code
    assert totp.matching_step(secret, totp.hotp(secret, step), datetime.fromtimestamp(at, UTC), -1) == step


HOTP = ("755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489")


@pytest.mark.parametrize(("counter", "code"), list(enumerate(HOTP)))
def test_the_published_vectors_of_rfc_4226(counter: int, code: str) -> None:
    assert totp.hotp(b"12345678901234567890", counter) == code


def enrolled(store: Store, keys: Keys) -> tuple[bytes, tuple[str, ...]]:
    account = made(store)
    with store.write() as connection:
        secret = second_factor.begin(connection, keys, account.id, NOW)
        assert second_factor.begin(connection, keys, account.id, NOW) == secret
        with pytest.raises(CodeRefused):
            second_factor.confirm(connection, keys, account.id, "000000", NOW + timedelta(days=1))
        codes = second_factor.confirm(connection, keys, account.id, totp.hotp(secret, totp.step_at(NOW)), NOW)
        with pytest.raises(CodeRefused):
            second_factor.begin(connection, keys, account.id, NOW)
        with pytest.raises(CodeRefused):
            second_factor.confirm(connection, keys, account.id, totp.hotp(secret, totp.step_at(NOW)), NOW)
    return secret, codes


def test_a_code_is_taken_once_and_only_near_its_time(store: Store, keys: Keys) -> None:
    secret, _ = enrolled(store, keys)

    def code(at: datetime) -> str:
        return totp.hotp(secret, totp.step_at(at))

    assert not attempt(store, keys, GOOD, code(NOW)), "the code that confirmed the factor"
    later = NOW + timedelta(seconds=60)
    assert not attempt(store, keys, GOOD, "", later)
    assert not attempt(store, keys, GOOD, code(later - timedelta(seconds=60)), later)
    assert attempt(store, keys, GOOD, code(later + timedelta(seconds=30)), later), "a clock that is half a minute fast"
    assert not attempt(store, keys, GOOD, code(later + timedelta(seconds=30)), later), "replayed"
    assert not attempt(store, keys, GOOD, code(later), later), "an older one after a newer one"
    for _ in range(2):
        later += timedelta(hours=2)
        assert attempt(store, keys, GOOD, f" {code(later)[:3]} {code(later)[3:]} ", later)


def test_a_recovery_code_works_once(store: Store, keys: Keys) -> None:
    _, codes = enrolled(store, keys)
    assert len(set(codes)) == totp.RECOVERY_CODES
    assert attempt(store, keys, GOOD, codes[0].lower().replace("-", " "))
    assert not attempt(store, keys, GOOD, codes[0])
    assert attempt(store, keys, GOOD, codes[1])
    with store.read() as connection:
        assert accounts.by_name(connection, "wang").recovery_left == totp.RECOVERY_CODES - 2
        row = connection.execute(ACCOUNTS.select()).one()
    assert not any(one in row.recovery for one in codes)


def test_a_secret_is_sealed_and_bound_to_its_account(store: Store, keys: Keys) -> None:
    secret, _ = enrolled(store, keys)
    made(store, "li")
    with store.write() as connection:
        sealed = connection.execute(ACCOUNTS.select().where(ACCOUNTS.c.name == "wang")).one()
        assert secret not in sealed.totp
        taken = {"totp": sealed.totp, "totp_kek": sealed.totp_kek}
        connection.execute(ACCOUNTS.update().where(ACCOUNTS.c.name == "li").values(taken))
        with pytest.raises(StoreCorrupt):
            second_factor.begin(connection, keys, accounts.by_name(connection, "li").id, NOW)


def test_secrets_pass_to_another_key_encryption_key(store: Store, keys: Keys) -> None:
    secret, _ = enrolled(store, keys)
    with store.write() as connection:
        old = vault.writing_kek(connection)
        new = kek_rotation.begin(connection, keys, NOW)
        with pytest.raises(KekRefused, match="second factors"):
            kek_rotation.destroy(connection, keys, old, NOW)
    assert kek_rotation.rewrap(store, keys) == 1
    with store.write() as connection:
        kek_rotation.destroy(connection, keys, old, NOW)
        assert kek_rotation.used(connection) == {new}
    later = NOW + timedelta(minutes=5)
    assert attempt(store, keys, GOOD, totp.hotp(secret, totp.step_at(later)), later)


def test_an_account_whose_secret_cannot_be_read_any_more_is_closed(store: Store, keys: Keys, tmp_path: Path) -> None:
    enrolled(store, keys)
    keys = replace(keys, keks=FileRing.create(tmp_path / "another.key"))
    with store.write() as connection:
        kek_rotation.forget_unreadable(connection, keys, NOW)
        found = accounts.by_name(connection, "wang")
    assert found.disabled_us is not None
    assert not attempt(store, keys, GOOD)


def test_an_account_waits_longer_with_every_attempt(store: Store, keys: Keys) -> None:
    made(store)
    now, waits = NOW, []
    for _ in range(FREE - 1):
        assert not attempt(store, keys, "wrong", now=now, quick=True)
    assert attempt(store, keys, GOOD, now=now, quick=True), "not yet"
    for _ in range(FREE):
        assert not attempt(store, keys, "wrong", now=now, quick=True)
    for _ in range(10):
        with store.read() as connection:
            until_us = accounts.by_name(connection, "wang").locked_until_us
        assert until_us is not None
        assert not attempt(store, keys, GOOD, now=now, quick=True), "right, but it waits"
        waits.append(until_us - int(now.timestamp() * 1_000_000))
        now = datetime.fromtimestamp(until_us / 1_000_000, UTC) + timedelta(seconds=1)
        assert not attempt(store, keys, "wrong", now=now, quick=True)
    seconds = [one // 1_000_000 for one in waits]
    assert seconds[:4] == [30, 60, 120, 240]
    assert max(seconds) == 3600
    with store.write() as connection:
        accounts.unlock(connection, "wang", now)
    assert attempt(store, keys, GOOD, now=now, quick=True)


def test_attempts_on_nobody_leave_nothing(store: Store, keys: Keys) -> None:
    for name in ("nobody", "", "\x00", "a" * 1000, "'; DROP TABLE accounts"):
        assert not attempt(store, keys, GOOD, name=name)
    with store.read() as connection:
        assert accounts.listed(connection) == []


def test_a_one_time_link_works_once_and_not_for_ever(store: Store) -> None:
    with store.write() as connection:
        made_, code = accounts.invite(connection, " Wang ", ["auditor"], NOW, display_name="王芳")
        assert (made_.name, made_.display_name, made_.has_password) == ("wang", "王芳", False)
        with pytest.raises(InviteRefused):
            accounts.accept(connection, code + "x", GOOD, NOW)
        with pytest.raises(PasswordRefused):
            accounts.accept(connection, code, "short", NOW)
        with pytest.raises(InviteRefused):
            accounts.invited(connection, code, NOW + timedelta(days=8))
        accounts.accept(connection, code, GOOD, NOW)
        with pytest.raises(InviteRefused):
            accounts.accept(connection, code, GOOD, NOW)
        with pytest.raises(AccountRefused, match="already"):
            accounts.invite(connection, "WANG", ["auditor"], NOW)
        kept = connection.execute(ACCOUNTS.select()).one()
    assert code.encode() not in b"".join(one for one in kept if isinstance(one, bytes))


def test_the_first_account_is_made_once(store: Store) -> None:
    ends = NOW + timedelta(hours=12)
    with store.write() as connection:
        trial = accounts.trial(connection, ["operator", "firm"], "urn:x:firm", NOW, ends)
        assert trial.is_live(ends - timedelta(microseconds=1))
        assert not trial.is_live(ends)
        assert not accounts.is_settled(connection)
        accounts.first(connection, "root", "", GOOD, "operator", NOW)
        assert accounts.is_settled(connection)
        assert not accounts.by_id(connection, trial.id).is_live(NOW), "trying out ends with the first account"
        with pytest.raises(AccountRefused):
            accounts.first(connection, "root2", "", GOOD, "operator", NOW)
        with pytest.raises(AccountRefused):
            accounts.trial(connection, ["operator"], "urn:x:firm", NOW, ends)


def test_a_reset_takes_everything_away(store: Store, keys: Keys) -> None:
    secret, codes = enrolled(store, keys)
    with store.write() as connection:
        account = accounts.by_name(connection, "wang")
        _, token = sessions.begin(connection, account.id, NOW)
        _, code = accounts.reset(connection, "wang", NOW)
        assert sessions.find(connection, token, NOW) is None
    later = NOW + timedelta(minutes=5)
    assert not attempt(store, keys, GOOD, totp.hotp(secret, totp.step_at(later)), later)
    assert not attempt(store, keys, GOOD, codes[0], later)
    with store.write() as connection:
        assert not accounts.accept(connection, code, "another good password", later).has_second_factor
    assert attempt(store, keys, "another good password", now=later)


def test_a_disabled_account_opens_nothing(store: Store, keys: Keys) -> None:
    account = made(store)
    with store.write() as connection:
        _, token = sessions.begin(connection, account.id, NOW)
        accounts.disable(connection, "wang", NOW)
        assert sessions.find(connection, token, NOW) is None
    assert not attempt(store, keys, GOOD)
    with store.write() as connection:
        accounts.enable(connection, "wang", NOW)
    assert attempt(store, keys, GOOD)


def test_a_session_ends_by_time_by_idleness_and_by_hand(store: Store) -> None:
    account = made(store)
    other = made(store, "li")
    with store.write() as connection:
        session, token = sessions.begin(connection, account.id, NOW)
        kept = connection.execute(SESSIONS.select()).one()
        assert token.encode() not in kept.token_hash
        idle = timedelta(microseconds=session.idle_us)
        assert sessions.find(connection, token, NOW + idle - timedelta(microseconds=1)) == session
        assert sessions.find(connection, token, NOW + idle) is None
        now = NOW
        while now + idle / 2 < NOW + sessions.LASTS:
            now += idle / 2
            found = sessions.find(connection, token, now)
            assert found is not None
            sessions.touch(connection, found, now)
        assert sessions.find(connection, token, NOW + sessions.LASTS) is None
        for wrong in ("", "x", token[:-1], token + "x", "é" * 40, "x" * 1000):
            assert sessions.find(connection, wrong, now) is None
        assert not sessions.revoke(connection, other.id, session.id, now), "somebody else's"
        assert sessions.revoke(connection, account.id, session.id, now)
        assert sessions.find(connection, token, now) is None


def test_another_password_ends_all_sessions(store: Store, keys: Keys) -> None:
    account = made(store)
    with store.write() as connection:
        tokens = [sessions.begin(connection, account.id, NOW)[1] for _ in range(3)]
        with pytest.raises(PasswordRefused):
            accounts.change_password(connection, account.id, "wang", NOW)
        assert all(sessions.find(connection, one, NOW) for one in tokens)
        accounts.change_password(connection, account.id, "another good password", NOW)
        assert not any(sessions.find(connection, one, NOW) for one in tokens)
    assert not attempt(store, keys, GOOD)
    assert attempt(store, keys, "another good password")


def test_who_showed_the_old_password_does_not_come_in_after_the_new_one(store: Store, keys: Keys) -> None:
    account = made(store)
    later = NOW + timedelta(seconds=1)
    with store.write() as connection:
        kept = accounts.password_hash(connection, "wang")
        found = accounts.settle(connection, keys, "wang", kept, "", NOW, right=True)
        assert found is not None
        assert accounts.begin_session(connection, found, NOW, sessions.LASTS)
    changes: list[Callable[[Any], Any]] = [
        lambda connection: accounts.change_password(connection, account.id, "another good password", later),
        lambda connection: accounts.reset(connection, "wang", later + timedelta(seconds=1)),
        lambda connection: accounts.disable(connection, "wang", later + timedelta(seconds=2)),
    ]
    for change in changes:
        with store.write() as connection:
            found = accounts.by_id(connection, account.id)
            change(connection)
            assert accounts.begin_session(connection, found, later, sessions.LASTS) is None
            assert sessions.of(connection, account.id, later) == []


def test_a_password_that_was_changed_meanwhile_is_not_right(store: Store, keys: Keys) -> None:
    account = made(store)
    with store.write() as connection:
        kept = accounts.password_hash(connection, "wang")
        accounts.change_password(connection, account.id, "another good password", NOW)
        assert accounts.settle(connection, keys, "wang", kept, "", NOW, right=True) is None

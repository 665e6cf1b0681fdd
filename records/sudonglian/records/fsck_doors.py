"""The check of who may knock at the doors, of what was handed in and is told: what their rows can be, and what not.

docs/decisions/0602: nothing is proven or traced from these tables, and nothing else says what was granted or asked. So
a scope that somebody widened is not found, but what this program never writes is.
"""

import json
import re
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from sudonglian.chain import canonical
from sudonglian.chain.errors import CanonicalRefused
from sudonglian.records import grants, passing
from sudonglian.records.announcing import OF_FIRMS, PING, TYPES
from sudonglian.records.fsck_log import Log
from sudonglian.records.fsck_report import Report
from sudonglian.records.tables import ACCOUNTS, API_KEYS, JOBS, SESSIONS, WEBHOOK_MESSAGES, WEBHOOKS

_PREFIX: Final = re.compile(r"sdl_[0-9a-f]{12}")
_SCOPE: Final = re.compile(r"[a-z]+(-[a-z]+)*")
_NAME: Final = re.compile(r"[0-9a-f]{32}")
_RECOVERY: Final = re.compile(r"([0-9a-f]{64}( [0-9a-f]{64})*)?")

HASH_BYTES: Final = 32

KINDS: Final = frozenset({"capture", "event", "trace"})
OVER: Final = frozenset({"success", "failed"})
STATES: Final = OVER | {"queued", "running"}

_MESSAGE: Final = re.compile(r"msg_[0-9a-f]{32}")


def check(report: Report, connection: Connection, log: Log) -> None:
    """Check every account, session, API key, job and webhook."""
    made: dict[str, int] = {}
    with report.watch("accounts"):
        for row in connection.execute(select(ACCOUNTS)):
            report.count("accounts")
            made[f"account:{row.id}"] = row.created_us
            with report.watch(f"accounts/{row.id}"):
                _account(report, row, log)
    with report.watch("sessions"):
        for row in connection.execute(select(SESSIONS)):
            report.count("sessions")
            with report.watch(f"sessions/{row.id}"):
                _session(report, row, made[f"account:{row.account}"])
    with report.watch("api_keys"):
        for row in connection.execute(select(API_KEYS)):
            report.count("api_keys")
            made[f"key:{row.id}"] = row.created_us
            with report.watch(f"api_keys/{row.id}"):
                _key(report, row, log)
                if row.account is not None:
                    made[f"account:{row.account}"]
    with report.watch("grants"):
        _grants(report, connection, log)
    with report.watch("jobs"):
        for row in connection.execute(select(JOBS)):
            report.count("jobs")
            with report.watch(f"jobs/{row.id}"):
                _job(report, row, made[row.owner])
    with report.watch("webhooks"):
        for row in connection.execute(select(WEBHOOKS)):
            report.count("webhooks")
            _webhook(report, row, log)
        passing.since(connection)
    with report.watch("webhook_messages"):
        for row in connection.execute(select(WEBHOOK_MESSAGES)):
            report.count("webhook_messages")
            with report.watch(f"webhook_messages/{row.id}"):
                _message(report, row)


def _grants(report: Report, connection: Connection, log: Log) -> None:
    """Hold what accounts and keys may do against what the private tree says of them.

    Those of before there were such entries have none; none of them is younger than one that has.
    """
    said = grants.fold(log.private)
    report.count("grants", len(said))
    for table, kind, ended, may in (
        (ACCOUNTS, grants.ACCOUNT, ACCOUNTS.c.disabled_us, "roles"),
        (API_KEYS, grants.KEY, API_KEYS.c.revoked_us, "scopes"),
    ):
        known = {int(name.partition(":")[2]): one for name, one in said.items() if one["k"] == kind}
        first = min((number for number, one in known.items() if one["is_made"]), default=None)
        held = {row.id: row for row in connection.execute(select(table, ended.label("ended")))}
        for number in sorted(held.keys() | known.keys()):
            place = f"{table.name}/{number}"
            if number not in held:
                report.add("grant", place, "the private tree says that it was made, and it is not there")
            elif number not in known:
                if first is not None and number > first:
                    report.add("grant", place, "nobody is on record as having made it")
            else:
                row, one = held[number], known[number]
                report.same("grant", f"{place}/{may}", getattr(row, may).split(" "), one[may])
                report.same("grant", f"{place}/submitter", row.submitter, one["submitter"])
                if one["state"] != "live" and row.ended is None:
                    report.add("grant", place, f"was {one['state']}, and is not any more, without anybody's entry")


def _account(report: Report, row: Row[Any], log: Log) -> None:
    place = f"accounts/{row.id}"
    roles = row.roles.split(" ")
    wrong = {
        "roles": roles != sorted(set(roles)) or not all(_SCOPE.fullmatch(one) for one in roles),
        "password_hash": row.password_hash is not None and not row.password_hash.startswith("$argon2id$"),
        "totp_step": row.totp_step is not None and row.totp is None,
        "recovery": not _RECOVERY.fullmatch(row.recovery),
        "invite_hash": (row.invite_hash is None) != (row.invite_until_us is None),
        "failed": row.failed < 0,
        "ends_us": row.ends_us is not None and (row.ends_us <= row.created_us or row.password_hash is not None),
    }
    _tell(report, "account", place, wrong)
    report.time(place, row.created_us, after_us=log.created_us)
    report.time(place, row.changed_us, after_us=row.created_us)
    if row.disabled_us is not None:
        report.time(place, row.disabled_us, after_us=row.created_us)


def _session(report: Report, row: Row[Any], account_us: int) -> None:
    place = f"sessions/{row.id}"
    wrong = {
        "token_hash": len(row.token_hash) != HASH_BYTES,
        "expires_us": row.expires_us <= row.created_us,
        "idle_us": row.idle_us <= 0,
        "seen_us": not row.created_us <= row.seen_us <= row.expires_us,
    }
    _tell(report, "session", place, wrong)
    report.time(place, row.created_us, after_us=account_us)


def _key(report: Report, row: Row[Any], log: Log) -> None:
    place = f"api_keys/{row.id}"
    scopes = row.scopes.split(" ")
    wrong = {
        "prefix": not _PREFIX.fullmatch(row.prefix),
        "token_hash": len(row.token_hash) != HASH_BYTES,
        "scopes": scopes != sorted(set(scopes)) or not all(_SCOPE.fullmatch(one) for one in scopes),
        "expires_us": row.expires_us is not None and row.expires_us <= row.created_us,
    }
    _tell(report, "api-key", place, wrong)
    report.time(place, row.created_us, after_us=log.created_us)
    if row.revoked_us is not None:
        report.time(place, row.revoked_us, after_us=row.created_us)


def _job(report: Report, row: Row[Any], key_us: int) -> None:
    place = f"jobs/{row.id}"
    is_over = row.state in OVER
    wrong = {
        "name": not _NAME.fullmatch(row.name),
        "kind": row.kind not in KINDS,
        "state": row.state not in STATES,
        "request_mac": (row.request_mac is None) != (row.idempotency_key is None)
        or (row.request_mac is not None and len(row.request_mac) != HASH_BYTES),
        "lease_us": (row.lease_us is not None) != (row.state == "running"),
        "finished_us": (row.finished_us is not None) != is_over,
        "result": (row.result is not None) != is_over,
        "graph": row.graph is not None and (row.kind, row.state) != ("trace", "success"),
    }
    _tell(report, "job", place, wrong)
    try:
        canonical.parse_stored(bytes(row.asked))
    except CanonicalRefused as error:
        report.add("job", place, f"what was asked cannot be read: {error.reason}")
    if row.result is not None:
        json.loads(row.result)
    report.time(place, row.created_us, after_us=key_us)
    if row.finished_us is not None:
        report.time(place, row.finished_us, after_us=row.created_us)


def _webhook(report: Report, row: Row[Any], log: Log) -> None:
    place = f"webhooks/{row.id}"
    known = TYPES if row.firm is None else OF_FIRMS
    events = row.events.split(" ")
    wrong = {
        "events": events != sorted(set(events)) or not set(events) <= known.keys(),
        "secret": (row.secret is None) != (row.ended_us is not None)
        or (row.secret is None) != (row.secret_kek is None),
        "failed": row.failed < 0,
        "delivered": row.delivered < 0 or (row.delivered == 0) != (row.delivered_us is None),
    }
    _tell(report, "webhook", place, wrong)
    report.time(place, row.created_us, after_us=log.created_us)


def _message(report: Report, row: Row[Any]) -> None:
    place = f"webhook_messages/{row.id}"
    body: Any = canonical.parse_stored(bytes(row.body))
    wrong = {
        "name": not _MESSAGE.fullmatch(row.name),
        "type": row.type not in (*TYPES, *OF_FIRMS, PING),
        "body": body.keys() != {"type", "timestamp", "data"} or body["type"] != row.type,
        "state": row.state not in ("waiting", "delivered", "dead"),
        "attempts": row.attempts < 0,
        "next_us": (row.next_us is None) != (row.state != "waiting"),
        "ended_us": (row.ended_us is None) != (row.state == "waiting"),
    }
    _tell(report, "webhook-message", place, wrong)


def _tell(report: Report, code: str, place: str, wrong: dict[str, bool]) -> None:
    for name, is_wrong in wrong.items():
        if is_wrong:
            report.add(code, place, f"{name} holds what is never written there")

"""A second verifier, written from docs/spec alone: it shares no line with the first, and must give the same verdicts.

docs/spec/bundle.md and the pages that it names. Standard library, coincurve, cryptography, pycryptodome; nothing of
the project. Identifiers are known as far as SSCC, GTIN with lot and serial, GLN: enough for the lots of the tests.
"""

import base64
import hashlib
import json
import re
import sys
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import coincurve
from Crypto.Hash import keccak
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

NAMESPACE = 0x8600E4FA7F467C1CBF18067374BAD284B4C3B67002FF81A825E39F19789A6500
LIMIT = 2**53 - 1
LISTS = ("epcList", "parentID", "childEPCs", "inputEPCList", "outputEPCList")
QUANTITIES = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
PEOPLE = "sdl:participants"


class Bad(Exception):
    """Something is wrong."""


class Lack(Exception):
    """Trust says nothing about it."""


class TrustBad(Exception):
    """Not a trust file: exit code 64."""


def need(condition: object, why: str) -> None:
    if not condition:
        raise Bad(why)


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def kec(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


# canonical.md


def read(raw: bytes, most: int) -> Any:
    """Rule 11: canonical bytes back to a value."""
    need(len(raw) <= most, "too large")
    depth, inside, skip = 0, False, False
    for byte in raw:
        if skip:
            skip = False
        elif inside:
            inside, skip = byte != 0x22, byte == 0x5C
        elif byte == 0x22:
            inside = True
        elif byte in b"[{":
            depth += 1
            need(depth <= 64, "too deep")
        elif byte in b"]}":
            depth -= 1

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(found)
        need(len(made) == len(found), "duplicate key")
        if "$dec" in made:
            text = made["$dec"]
            need(len(made) == 1 and isinstance(text, str), "$dec")
            need(re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?", text, re.ASCII), "decimal")
            need(sum(c.isdigit() for c in text) <= 34, "digits")
            need("." in text or abs(int(text)) > LIMIT, "an integer")
        return made

    def integer(text: str) -> int:
        need(len(text) < 18 and abs(int(text)) <= LIMIT, "integer")
        return int(text)

    def no(text: str) -> Any:
        raise Bad(text)

    try:
        value = json.loads(raw.decode(), object_pairs_hook=pairs, parse_int=integer, parse_float=no, parse_constant=no)
        need(write(value).encode() == raw, "not canonical")
    except (ValueError, RecursionError) as error:
        raise Bad("not JSON") from error
    return value


def write(value: Any) -> str:
    """Rules 9 and 10."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{write(key)}:{write(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(write, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def shape(value: Any, *names: str) -> dict[str, Any]:
    need(isinstance(value, dict) and set(value) == set(names), f"not exactly {names}")
    return value  # type: ignore[no-any-return]


def listed(value: Any) -> list[Any]:
    need(isinstance(value, list), "not an array")
    return value  # type: ignore[no-any-return]


def hexed(value: Any, length: int | None = 32) -> bytes:
    need(isinstance(value, str) and re.fullmatch("([0-9a-f]{2})*", value), "not hexadecimal")
    need(length is None or len(value) == 2 * length, "length")
    return bytes.fromhex(value)


def hashes(value: Any, length: int | None = 32) -> list[bytes]:
    return [hexed(one, length) for one in listed(value)]


def whole(value: Any) -> int:
    need(type(value) is int and 0 <= value <= LIMIT, "not a whole number")
    return value  # type: ignore[no-any-return]


def rising(values: list[Any]) -> None:
    need(all(a < b for a, b in pairwise(values)), "order")


def b64url(text: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as error:
        raise Bad("base64url") from error
    need(base64.urlsafe_b64encode(raw).rstrip(b"=").decode() == text, "strict base64url")
    return raw


# entry.md


def leaf(value: dict[str, Any]) -> bytes:
    return sha(b"\0", write(value).encode())


def path_length(index: int, size: int) -> int:
    if size == 1:
        return 0
    half = 1 << (size - 1).bit_length() - 1
    return 1 + (path_length(index, half) if index < half else path_length(index - half, size - half))


def climb(node: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root of a tree of `size` that has `node` at `index`: RFC 9162 §2.1.3.1 read backwards."""
    if size == 1:
        need(not path, "path too long")
        return node
    need(path, "path too short")
    half = 1 << (size - 1).bit_length() - 1
    if index < half:
        return sha(b"\1", climb(node, index, half, path[:-1]), path[-1])
    return sha(b"\1", path[-1], climb(node, index - half, size - half, path[:-1]))


def included(value: dict[str, Any], index: int, tree: tuple[int, bytes], path: list[bytes]) -> None:
    need(0 <= index < tree[0], "index")
    need(climb(leaf(value), index, tree[0], path) == tree[1], "not in the tree")


def consistent(one: tuple[int, bytes], two: tuple[int, bytes], path: list[bytes]) -> None:
    def both(m: int, n: int, rest: list[bytes], known: bool) -> tuple[bytes, bytes]:
        """RFC 9162 §2.1.4.1 SUBPROOF(m, D_n, known): (the old root, the new root) of this subtree."""
        if m == n:
            if known:
                need(not rest, "proof too long")
                return one[1], one[1]
            need(len(rest) == 1, "proof length")
            return rest[0], rest[0]
        need(rest, "proof too short")
        half = 1 << (n - 1).bit_length() - 1
        if m <= half:
            old, new = both(m, half, rest[:-1], known)
            return old, sha(b"\1", new, rest[-1])
        old, new = both(m - half, n - half, rest[:-1], False)
        return sha(b"\1", rest[-1], old), sha(b"\1", rest[-1], new)

    need(1 <= one[0] <= two[0], "sizes")
    need(both(one[0], two[0], path, True) == (one[1], two[1]), "not consistent")


def ranged(leaves: list[bytes], start: int, tree: tuple[int, bytes], path: list[bytes]) -> None:
    """Rule 7, level by level; nodes are kept by their number."""
    size, first, last = tree[0], start, start + len(leaves) - 1
    need(0 <= start <= last < size, "range")
    nodes, rest = dict(enumerate(leaves, start)), list(path)
    while size > 1:
        for beside in [first - 1] * (first % 2) + [last + 1] * (last % 2 == 0 and last < size - 1):
            need(rest, "range proof too short")
            nodes[beside] = rest.pop(0)
        nodes = {
            n: sha(b"\1", nodes[2 * n], nodes[2 * n + 1]) if 2 * n + 1 < size else nodes[2 * n]
            for n in range(first // 2, last // 2 + 1)
        }
        size, first, last = (size + 1) // 2, first // 2, last // 2
    need(not rest and nodes[0] == tree[1], "not this range")


# record.md


def plain(value: Any, left: int) -> None:
    """No key of canonical.md rule 4 but a decimal's, and not nested deeper than `left`."""
    if isinstance(value, dict | list):
        need(left, "nested deeper than 56")
        for one in value.values() if isinstance(value, dict) else value:
            plain(one, left - 1)
    if isinstance(value, dict) and set(value) != {"$dec"}:
        need(all(may_name(key) for key in value), "reserved key")


def may_name(name: str) -> bool:
    return name[:1] != "$" and name not in ("_sd", "_sd_alg", "...")


def digest(value: Any) -> str:
    need(isinstance(value, str) and len(value) == 43 and len(b64url(value)) == 32, "digest")
    return value  # type: ignore[no-any-return]


def check_record(value: Any, disclosures: list[Any]) -> bytes:
    r = shape(value, "v", "visibility", "submitter", "_sd_alg", "event")
    need(r["v"] == "sudonglian/record/1" and r["_sd_alg"] == "sha-256", "version")
    need(isinstance(r["visibility"], str) and re.fullmatch("[1-9][0-9]{0,5}", r["visibility"], re.ASCII), "visibility")
    submitter = r["submitter"]
    need(isinstance(submitter, str) and len(submitter) <= 2000, "submitter")
    need(re.fullmatch("[A-Za-z][A-Za-z0-9+.-]*:[!-~]+", submitter), "submitter")
    event = r["event"]
    need(isinstance(event, dict) and "$dec" not in event, "event")
    clear = {name: one for name, one in event.items() if name not in ("_sd", PEOPLE)}
    plain(clear, 56)
    members = [digest(one) for one in listed(event["_sd"])] if "_sd" in event else []
    need(members or "_sd" not in event, "empty _sd")
    rising(members)
    elements = [digest(shape(one, "...")["..."]) for one in listed(event.get(PEOPLE, []))]
    need(PEOPLE not in event or (elements and len(elements) % 4 == 0), "participants")
    need(len({*members, *elements}) == len(members) + len(elements), "digest twice")
    names: set[str] = set()
    for text in disclosures:
        need(isinstance(text, str) and len(text) <= 1 << 22 and text.isascii(), "disclosure")
        parts = listed(read(b64url(text), 1 << 22))
        need(len(parts) in (2, 3) and isinstance(parts[0], str), "disclosure")
        need(len(parts[0]) == 22 and b64url(parts[0]), "salt")
        found = base64.urlsafe_b64encode(sha(text.encode())).rstrip(b"=").decode()
        if len(parts) == 2:
            need(found in elements, "belongs to nothing")
            plain({PEOPLE: [parts[1]]}, 56)
        else:
            name = parts[1]
            need(isinstance(name, str) and may_name(name) and name not in event and name not in names, "name")
            need(found in members, "belongs to nothing")
            names.add(name)
            plain({name: parts[2]}, 56)
    raw = write(value).encode()
    need(len(raw) <= 1 << 22, "record too large")
    return sha(b"sudonglian/record/v1\0", raw)


# seal.md, identifiers.md


def check(body: str) -> str:
    return str(-sum(int(c) * (3 if n % 2 == 0 else 1) for n, c in enumerate(reversed(body))) % 10)


def normal(uri: str) -> str:
    if m := re.fullmatch(r"urn:epc:id:sscc:([0-9]+)\.([0-9]+)", uri):
        body = m[2][0] + m[1] + m[2][1:]
        return f"https://id.gs1.org/00/{body}{check(body)}"
    if m := re.fullmatch(r"urn:epc:(class:lgtin|id:sgtin):([0-9]+)\.([0-9]+)\.(.+)", uri):
        body = m[3][0] + m[2] + m[3][1:]
        tail = f"{'10' if m[1] == 'class:lgtin' else '21'}/{quote(unquote(m[4]), safe=chr(39))}"
        return f"https://id.gs1.org/01/{body}{check(body)}/{tail}"
    if m := re.fullmatch(
        r"https?://[^/?#]+(?:/[^?#]*?)?/(01|gtin|00|sscc|414|417)/([0-9]+)((?:/(?:10|21)/[^/?#]+)*)/?", uri
    ):
        ai = {"gtin": "01", "sscc": "00"}.get(m[1], m[1])
        found = re.findall("/(10|21)/([^/]+)", m[3])
        tail = "".join(f"/{a}/{quote(unquote(v), safe=chr(39))}" for a, v in sorted(found))
        return f"https://id.gs1.org/{ai}/{m[2].zfill(14) if ai == '01' else m[2]}{tail}"
    return uri


def named(event: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    for member, value in event.items():
        for one in value if isinstance(value, list) else [value]:
            if member in QUANTITIES:
                one = one.get("epcClass") if isinstance(one, dict) else None
            if member in LISTS + QUANTITIES and isinstance(one, str) and one:
                found.add(normal(one))
            if member == "sdl:traceCode" and isinstance(one, dict):
                both: tuple[Any, Any] = (one.get("issuer"), one.get("code"))
                if all(isinstance(text, str) for text in both):
                    found.add("urn:sudonglian:code:" + ":".join(quote(text, safe="") for text in both))
    return found


def check_lot(lot: dict[str, Any], due: list[bytes], root: bytes) -> None:
    """Rules 5-8, and bundle.md rule 13."""
    need(hashes(lot["chain"]) == due, "the chain is not the records that name it")
    key = sha(b"sudonglian/lot/v1\0", lot["id"].encode())
    path = hashes(lot["path"])
    need(len(path) <= 256, "path")
    bits = [key[n // 8] >> 7 - n % 8 & 1 for n in range(256)]
    if due:
        need(lot["other"] is None, "a present key and another leaf")
        c = bytes(32)
        for one in due:
            c = sha(b"sudonglian/lotchain/v1\0", c, one)
        node = sha(b"\0", key, len(due).to_bytes(8, "big"), c)
    elif lot["other"] is None:
        node = bytes(32)
    else:
        o = lot["other"]
        theirs, d = hexed(o["key"]), len(path)
        need(theirs != key and o["count"], "the same key, or no record")
        need(int.from_bytes(theirs, "big") >> 256 - d == int.from_bytes(key, "big") >> 256 - d, "prefix")
        node = sha(b"\0", theirs, o["count"].to_bytes(8, "big"), hexed(o["c"]))
    for place, sibling in enumerate(path):
        node = sha(b"\1", sibling, node) if bits[len(path) - 1 - place] else sha(b"\1", node, sibling)
    need(node == root, "not the map's root")


# checkpoint.md

ORIGIN = "[A-Za-z0-9][A-Za-z0-9._/-]{0,199}"


def b64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Bad("base64") from error
    need(base64.b64encode(raw).decode() == text, "strict base64")
    return raw


def check_note(note: Any) -> tuple[str, tuple[int, bytes], bytes, str, bytes]:
    """Origin, tree, signed text, and the one line's name and material: bundle.md wants no other."""
    need(isinstance(note, str), "note")
    m = re.fullmatch(f"({ORIGIN})\n(0|[1-9][0-9]{{0,15}})\n([^\n]*)\n\n— ([^\n ]*) ([^\n ]*)\n", note)
    if m is None:
        raise Bad("note")
    root, material = b64(m[3]), b64(m[5])
    need(len(root) == 32 and int(m[2]) <= LIMIT, "root or size")
    return m[1], (int(m[2]), root), note[: note.index("\n\n") + 1].encode(), m[4], material


def check_key(key: str, origin: str) -> tuple[bytes, bytes]:
    m = re.fullmatch(r"([^+]*)\+([0-9a-f]{8})\+(.*)", key)
    need(m and m[1] == origin and re.fullmatch(ORIGIN, origin), "key")
    assert m is not None
    raw = b64(m[3])
    need(len(raw) == 33 and raw[0] == 1, "key type")
    need(sha(origin.encode(), b"\n", raw)[:4].hex() == m[2], "key id")
    return bytes.fromhex(m[2]), raw[1:]


# The chain: Yellow Paper appendices B and D, contract.md rules 13-17


def rlp(data: bytes) -> Any:
    def item(at: int, end: int, depth: int) -> tuple[Any, int]:
        need(at < end and depth <= 8, "rlp")
        first = data[at]
        if first < 0x80:
            return data[at : at + 1], at + 1
        base = 0x80 if first < 0xC0 else 0xC0
        length, start = first - base, at + 1
        if length > 55:
            start += length - 55
            need(start <= end and data[at + 1] != 0, "rlp")
            length = int.from_bytes(data[at + 1 : start], "big")
            need(length > 55, "rlp")
        stop = start + length
        need(stop <= end, "rlp")
        if base == 0x80:
            need(length != 1 or data[start] >= 0x80, "rlp")
            return data[start:stop], stop
        made = []
        while start < stop:
            one, start = item(start, stop, depth + 1)
            made.append(one)
        return made, stop

    value, end = item(0, len(data), 0)
    need(end == len(data), "rlp")
    return value


def unrlp(value: Any) -> bytes:
    if isinstance(value, int):
        value = value.to_bytes((value.bit_length() + 7) // 8, "big")
    if isinstance(value, bytes):
        if len(value) == 1 and value[0] < 0x80:
            return value
        base, body = 0x80, value
    else:
        base, body = 0xC0, b"".join(map(unrlp, value))
    if len(body) < 56:
        return bytes([base + len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([base + 55 + len(length)]) + length + body


def number(value: Any, most: int = 32) -> int:
    need(isinstance(value, bytes) and len(value) <= most and value[:1] != b"\0", "integer")
    return int.from_bytes(value, "big")


def trie(root: bytes, key: bytes, proof: list[bytes]) -> bytes:
    nibbles, want, rest = kec(key).hex(), root, list(proof)
    while True:
        if isinstance(want, bytes):
            need(rest and len(want) == 32 and kec(rest[0]) == want, "node")
            node = rlp(rest.pop(0))
        else:
            node = want
        need(isinstance(node, list) and len(node) in (2, 17), "node")
        if len(node) == 17:
            need(nibbles, "branch value")
            want, nibbles = node[int(nibbles[0], 16)], nibbles[1:]
            continue
        need(isinstance(node[0], bytes) and node[0], "path")
        path = node[0].hex()
        flag, path = int(path[0], 16), path[1:] if int(path[0], 16) & 1 else path[2:]
        need(flag < 4 and (flag & 1 or node[0].hex()[1] == "0"), "flag")
        if flag & 2:
            need(path == nibbles and not rest and isinstance(node[1], bytes) and node[1], "leaf")
            return node[1]  # type: ignore[no-any-return]
        need(path and nibbles.startswith(path), "extension")
        want, nibbles = node[1], nibbles[len(path) :]


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def stored(root: bytes, slot: bytes, proof: list[bytes]) -> int:
    return number(rlp(trie(root, slot, proof)))


def recovered(digest: bytes, sig: bytes) -> bytes:
    need(len(sig) == 65 and sig[64] < 2, "signature")
    try:
        return kec(coincurve.PublicKey.from_signature_and_message(sig, digest, hasher=None).format(False)[1:])[12:]
    except Exception as error:
        raise Bad("signature") from error


class Anchor:
    """bundle.md rule 7."""

    def __init__(self, a: dict[str, Any]) -> None:
        self.chain_id, self.tree = whole(a["chain_id"]), (whole(a["size"]), hexed(a["root"]))
        self.genesis, self.contract = hexed(a["genesis"]), hexed(a["contract"], 20)
        self.path = hashes(a["consistency"])
        self.header = hexed(a["header"], None)
        self.account, self.proof = hashes(a["account_proof"], None), hashes(a["storage_proof"], None)

    def fields(self) -> list[Any]:
        fields = rlp(self.header)
        need(isinstance(fields, list) and 15 <= len(fields) <= 32, "header")
        need(all(isinstance(fields[n], bytes) and len(fields[n]) == 32 for n in (0, 3)), "parent or state root")
        number(fields[8], 8), number(fields[11], 8)
        need(isinstance(fields[12], bytes), "extra data")
        return fields  # type: ignore[no-any-return]

    def storage(self) -> tuple[bytes, bytes]:
        """The storage root and code hash, once rootAt[size] = root is proven."""
        account = rlp(trie(self.fields()[3], self.contract, self.account))
        need(isinstance(account, list) and len(account) == 4, "account")
        number(account[0], 8), number(account[1])
        need(all(isinstance(one, bytes) and len(one) == 32 for one in account[2:]), "account")
        found = stored(account[2], kec(word(self.tree[0]) + word(NAMESPACE)), self.proof)
        need(word(found) == self.tree[1], "another root")
        return account[2], account[3]

    def chain(self, trust: "Trust") -> dict[str, Any]:
        found = trust.chains.get((self.genesis, self.contract))
        if found is None:
            raise Lack("chain")
        need(found["chain_id"] == self.chain_id, "chain id")
        return found

    def final(self, chain: dict[str, Any]) -> None:
        rule, fields = chain["finality"], self.fields()
        if rule["rule"] == "trusted-headers":
            if kec(self.header).hex() not in rule["headers"]:
                raise Lack("header")
            return
        extra = rlp(fields[12])
        need(isinstance(extra, list) and len(extra) == 5 and isinstance(extra[4], list), "extra data")
        need(isinstance(extra[0], bytes) and len(extra[0]) == 32 and isinstance(extra[1], list), "extra data")
        sealed = kec(unrlp([*fields[:12], unrlp([*extra[:4], []]), *fields[13:]]))
        need(all(isinstance(one, bytes) for one in extra[4]) and number(extra[3], 4) >= 0, "seal")
        need(all(isinstance(one, bytes) and len(one) == 20 for one in extra[1]), "validator")
        sealers = [recovered(sealed, one).hex() for one in extra[4][: len(rule["validators"]) + 1]]
        need(len(set(sealers)) == len(sealers) and set(sealers) <= set(rule["validators"]), "sealers")
        need(len(sealers) >= -(-2 * len(rule["validators"]) // 3), "quorum")


# trust.md


class Trust:
    """An auditor's trust file, read."""

    def __init__(self, raw: bytes) -> None:
        try:
            need(len(raw) <= 1 << 24, "too large")

            def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
                need(len(dict(found)) == len(found), "duplicate")
                return dict(found)

            def decimal(text: str) -> Any:
                return int(found) if (found := Decimal(text)) == found.to_integral_value() else text

            value = json.loads(raw.decode(), object_pairs_hook=pairs, parse_float=decimal)
            shape(value, "v", "logs", "chains")
            need(value["v"] == "sudonglian/trust/1", "version")
            self.logs: dict[str, tuple[bytes, bytes]] = {}
            self.chains: dict[tuple[bytes, bytes], dict[str, Any]] = {}
            for log in listed(value["logs"]):
                origin, key = shape(log, "origin", "key")["origin"], log["key"]
                need(isinstance(origin, str) and isinstance(key, str) and origin not in self.logs, "log")
                self.logs[origin] = check_key(key, origin)
            for chain in listed(value["chains"]):
                shape(chain, "chain_id", "genesis", "contract", "code_hash", "finality")
                name = hexed(chain["genesis"]), hexed(chain["contract"], 20)
                need(name not in self.chains and hexed(chain["code_hash"]), "chain")
                need(whole(chain["chain_id"]), "chain id")
                rule = chain["finality"]
                if isinstance(rule, dict) and rule.get("rule") == "qbft":
                    hashes(shape(rule, "rule", "validators")["validators"], 20)
                    need(rule["validators"] and len(set(rule["validators"])) == len(rule["validators"]), "validators")
                else:
                    need(shape(rule, "rule", "headers")["rule"] == "trusted-headers", "rule")
                    hashes(rule["headers"])
                self.chains[name] = chain
        except (Bad, ValueError, RecursionError) as error:
            raise TrustBad from error


# bundle.md


def verify(raw: bytes, trust_raw: bytes) -> dict[str, Any]:
    """Verdict, confirmation, completeness, and the names of the steps that fail or lack something."""
    trust = Trust(trust_raw)
    steps: dict[str, str] = {}
    said: dict[str, Any] = {"confirmation": "unsigned", "completeness": "not claimed"}
    try:
        check_steps(raw, trust, steps, said)
    except Bad:
        steps["parse"] = "FAIL"
    except Lack:
        steps["parse"] = "UNKNOWN"
    results = set(steps.values())
    said["verdict"] = "INVALID" if "FAIL" in results else "INDETERMINATE" if "UNKNOWN" in results else "VALID"
    said["failed"] = sorted(name for name, result in steps.items() if result == "FAIL")
    said["unknown"] = sorted(name for name, result in steps.items() if result == "UNKNOWN")
    return said


def check_form(raw: bytes) -> dict[str, Any]:
    """Rules 1-9."""
    b = read(raw, 1 << 26)
    need(isinstance(b, dict) and isinstance(b.get("v"), str), "bundle")
    if b["v"] != "sudonglian/bundle/1":
        raise Lack("version")
    shape(b, "anchors", "checkpoint", "lots", "records", "seal", "v")
    names = (
        "chain_id",
        "genesis",
        "contract",
        "size",
        "root",
        "consistency",
        "header",
        "account_proof",
        "storage_proof",
    )
    for a in listed(b["anchors"]):
        Anchor(shape(a, *names))
    need(len(b["anchors"]) <= 8, "anchors")
    rising([(a["genesis"], a["contract"]) for a in b["anchors"]])
    for r in listed(b["records"]):
        shape(r, "corrections", "disclosures", "index", "path", "record", "signatures")
        need(all(isinstance(one, str) for one in listed(r["disclosures"])), "disclosures")
        rising(r["disclosures"])
        whole(r["index"]), hashes(r["path"])
        for c in listed(r["corrections"]):
            shape(c, "h", "index", "path")
            hexed(c["h"]), whole(c["index"]), hashes(c["path"])
        for s in listed(r["signatures"]):
            shape(s, "anchor", "index", "path", "signature")
            whole(s["index"]), hashes(s["path"])
            Anchor(shape(s["anchor"], *names, "party_proof", "window_proof"))
            hashes(s["anchor"]["party_proof"], None), hashes(s["anchor"]["window_proof"], None)
        rising([c["index"] for c in r["corrections"]])
        rising([s["index"] for s in r["signatures"]])
    rising([r["index"] for r in b["records"]])
    for lot in listed(b["lots"]):
        shape(lot, "chain", "id", "key", "other", "path")
        need(isinstance(lot["id"], str), "id")
        need(hexed(lot["key"]) == sha(b"sudonglian/lot/v1\0", lot["id"].encode()), "key")
        hashes(lot["chain"]), hashes(lot["path"])
        if lot["other"] is not None:
            o = shape(lot["other"], "key", "count", "c")
            hexed(o["key"]), hexed(o["c"]), whole(o["count"])
    rising([lot["id"] for lot in b["lots"]])
    need(isinstance(b["checkpoint"], str) and (b["records"] or b["lots"]), "nothing is claimed")
    need((b["seal"] is None) == (not b["lots"]), "seal")
    if b["seal"] is not None:
        s = shape(b["seal"], "at", "lots", "path", "private")
        need(isinstance(s["at"], str), "at")
        hexed(s["lots"]), hexed(s["private"]), hashes(s["path"])
    return b  # type: ignore[no-any-return]


def check_steps(raw: bytes, trust: Trust, steps: dict[str, str], said: dict[str, Any]) -> None:
    b = check_form(raw)

    def note() -> tuple[str, tuple[int, bytes], bytes, str, bytes]:
        return check_note(b["checkpoint"])

    def tree() -> tuple[int, bytes]:
        return note()[1]

    records, anchors = b["records"], [Anchor(a) for a in b["anchors"]]
    digests = [sha(b"sudonglian/record/v1\0", write(r["record"]).encode()) for r in records]

    def all_records() -> None:
        for r in records:
            check_record(r["record"], r["disclosures"])
        need(len(set(digests)) == len(digests), "a record twice")

    def inclusion() -> None:
        tree()
        for h, r in zip(digests, records, strict=True):
            included({"k": "record", "h": h.hex()}, r["index"], tree(), hashes(r["path"]))
            for c in r["corrections"]:
                value = {"k": "correction", "h": c["h"], "of": h.hex()}
                included(value, c["index"], tree(), hashes(c["path"]))

    def signatures() -> None:
        lacks, roles = False, []
        for h, r in zip(digests, records, strict=True):
            counted: dict[str, tuple[bytes, bytes]] = {}
            for s in r["signatures"]:
                try:
                    role, party, other = signed(h, s, note()[0], tree(), trust)
                except Lack:
                    lacks = True
                    continue
                need(role not in counted, "role twice")
                counted[role] = party, other
            if len(counted) == 2:
                need(counted["consignor"] == counted["consignee"][::-1], "counterparties")
            roles.append(set(counted))
        both = set.intersection(*roles) if roles else set()
        said["confirmation"] = "both" if len(both) == 2 else next(iter(both), "unsigned")
        if lacks:
            raise Lack("signatures")

    def the_checkpoint() -> None:
        origin, _, text, name, material = note()
        if origin not in trust.logs:
            raise Lack("log")
        key_id, key = trust.logs[origin]
        need(name == origin and material[:4] == key_id, "another key")
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(material[4:], text)
        except (InvalidSignature, ValueError) as error:
            raise Bad("signature") from error

    def each(one: Any) -> Any:
        def run() -> None:
            lacks = not anchors
            for anchor in anchors:
                try:
                    one(anchor)
                except Lack:
                    lacks = True
            if lacks:
                raise Lack("anchors")

        return run

    def storage(anchor: Anchor) -> None:
        code = anchor.storage()[1]
        if (anchor.genesis, anchor.contract) in trust.chains:
            need(trust.chains[anchor.genesis, anchor.contract]["code_hash"] == code.hex(), "code")

    def lots() -> None:
        if not b["lots"]:
            return
        seal = b["seal"]
        need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", seal["at"], re.ASCII), "time")
        try:
            datetime.fromisoformat(seal["at"])
        except ValueError as error:
            raise Bad("time") from error
        entry = {"k": "seal", "at": seal["at"], "lots": seal["lots"], "private": seal["private"]}
        included(entry, tree()[0] - 1, tree(), hashes(seal["path"]))
        names = []
        for r in records:
            need(isinstance(r["record"], dict) and isinstance(r["record"].get("event"), dict), "record")
            check_record(r["record"], [])
            names.append(named(r["record"]["event"]))
        for lot in b["lots"]:
            due = [h for h, found in zip(digests, names, strict=True) if lot["id"] in found]
            check_lot(lot, due, hexed(seal["lots"]))

    run = {
        "record": all_records,
        "inclusion": inclusion,
        "signatures": signatures,
        "checkpoint": the_checkpoint,
        "consistency": each(lambda anchor: consistent(tree(), anchor.tree, anchor.path)),
        "storage": each(storage),
        "finality": each(lambda anchor: anchor.final(anchor.chain(trust))),
        "chain": each(lambda anchor: anchor.chain(trust)),
        "lots": lots,
    }
    for step, function in run.items():
        steps[step] = "PASS"
        try:
            function()
        except Bad:
            steps[step] = "FAIL"
        except Lack:
            steps[step] = "UNKNOWN"
    if b["lots"]:
        said["completeness"] = "complete" if steps["lots"] == "PASS" else "incomplete"


def signed(h: bytes, s: dict[str, Any], origin: str, tree: tuple[int, bytes], trust: Trust) -> tuple[str, bytes, bytes]:
    """signature.md rule 4: role, the signer's party, the counterparty that it names."""
    value = shape(s["signature"], "counterparty", "record", "role", "sig", "signed_at", "signer", "v")
    need(value["v"] == "sudonglian/signature/1" and value["record"] == h.hex(), "record")
    need(value["role"] in ("consignor", "consignee"), "role")
    role = 1 if value["role"] == "consignor" else 2
    sig, signer, other = hexed(value["sig"], 65), hexed(value["signer"], 20), hexed(value["counterparty"])
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    need(int.from_bytes(sig[32:64], "big") <= order // 2 and sig[64] in (27, 28), "form of the signature")
    domain = kec(b"EIP712Domain(string name,string version,bytes32 salt)") + kec(b"Sudonglian") + kec(b"1")
    domain = kec(domain + sha(b"sudonglian/origin/v1\0", origin.encode()))
    kind = kec(b"Handoff(bytes32 recordHash,uint8 role,address signer,bytes32 counterparty,uint64 signedAt)")
    body = kind + h + word(role) + bytes(12) + signer + other + word(whole(value["signed_at"]))
    need(recovered(kec(b"\x19\x01" + domain + kec(body)), sig[:64] + bytes([sig[64] - 27])) == signer, "signer")
    d = sha(b"sudonglian/signature/v1\0", write(value).encode())
    included({"k": "signature", "h": h.hex(), "d": d.hex()}, s["index"], tree, hashes(s["path"]))
    anchor = Anchor(s["anchor"])
    need(s["index"] < anchor.tree[0], "the anchor does not cover it")
    consistent(anchor.tree, tree, anchor.path)
    root, code = anchor.storage()
    first = kec(bytes(12) + signer + word(NAMESPACE + 2))
    party = word(stored(root, first, hashes(s["anchor"]["party_proof"], None)))
    second = word((int.from_bytes(first, "big") + 1) % 2**256)
    window = stored(root, second, hashes(s["anchor"]["window_proof"], None))
    begin, end, revoked, roles = (window >> shift & 2**64 - 1 for shift in (0, 64, 128, 192))
    moment = number(anchor.fields()[11])
    need(begin <= moment < end and (not revoked or revoked > moment) and roles & role, "window")
    chain = anchor.chain(trust)
    need(chain["code_hash"] == code.hex(), "code")
    anchor.final(chain)
    return value["role"], party, other


if __name__ == "__main__":
    print(json.dumps(verify(Path(sys.argv[1]).read_bytes(), Path(sys.argv[2]).read_bytes())))

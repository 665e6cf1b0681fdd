"""Two verifiers, one written from docs/spec alone, must say the same of every bundle: good, bad and strange."""

import copy
import json
import random
import sys
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from sudonglian.chain import canonical, trust, verify
from sudonglian.chain.errors import TrustRefused
from sudonglian.chain.trust import Trust

TESTS = Path(__file__).resolve().parents[1]


def load(path: Path) -> Any:
    spec = spec_from_file_location(f"sudonglian_tests_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


w = load(TESTS / "vectors" / "world.py")
second = load(TESTS / "second_verifier.py")

Said = tuple[str, str, str, list[str], list[str]]


def first(raw: bytes, held: Trust) -> Said:
    said = verify.verify(raw, held)
    names = {
        result: sorted(step.name for step in said.steps if step.result == result) for result in ("FAIL", "UNKNOWN")
    }
    return said.verdict, said.confirmation, said.completeness, names["FAIL"], names["UNKNOWN"]


def other(raw: bytes, held: bytes) -> Said:
    said = second.verify(raw, held)
    return said["verdict"], said["confirmation"], said["completeness"], said["failed"], said["unknown"]


def agree(raw: bytes, held: bytes) -> str:
    """Return the verdict that both give; a trust file that one refuses, both must refuse."""
    try:
        parsed = trust.parse(held)
    except TrustRefused:
        with pytest.raises(second.TrustBad):
            second.verify(raw, held)
        return "64"
    mine = first(raw, parsed)
    assert other(raw, held) == mine, raw
    return mine[0]


# Worlds that chance makes


def random_world(generator: random.Random, name: str) -> Any:
    world = w.World(name, validators=generator.choice([0, 0, 1, 4]), chain_id=generator.choice([1, 31337]))
    lots = [
        w.LOT,
        w.PALLET,
        "urn:epc:class:lgtin:4012345.012345.998877",
        "urn:other:鱼",
        "https://a.example/gtin/4012345123456",
    ]
    world.register(w.CONSIGNOR, w.SENDER, roles=generator.choice([1, 3]))
    world.register(w.CONSIGNEE, w.RECEIVER, roles=generator.choice([2, 3]))
    for _ in range(generator.randrange(1, 4)):
        for _ in range(generator.randrange(1, 9)):
            index = world.add(*generator.sample(lots, generator.randrange(3)))
            if generator.random() < 0.2:
                world.sign(index, "consignor", w.CONSIGNOR, w.RECEIVER)
            if generator.random() < 0.2:
                world.sign(index, "consignee", w.CONSIGNEE, w.SENDER)
            if generator.random() < 0.1:
                world.correct(generator.choice(list(world.sealed)), index)
        world.seal()
        world.anchor()
    return world


def random_bundle(generator: random.Random, world: Any) -> Any:
    size = generator.choice(list(world.seals))
    lots: list[str] = []
    indexes = generator.sample([index for index in world.sealed if index < size], 1)
    if size == max(world.seals) and generator.random() < 0.6:
        lots = generator.sample([*world.chains, "urn:nobody", "urn:no:one"], generator.randrange(1, 3))
        indexes = sorted({one for lot in lots for one in w.lot_indexes(world, lot)} | set(indexes))
    anchors = [generator.choice([one for one in world.blocks if one >= size])]
    names = generator.choice([[], ["eventID"], ["eventID", "sdl:participants"]])
    made = world.bundle(indexes, size=size, anchors=anchors, names=names, lots=lots).to_json()
    return made


# What chance does to a bundle: the text stays canonical, so the deeper steps are reached


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*at, key))


def pick(generator: random.Random, value: Any) -> tuple[Any, Any, Any]:
    """Return a holder, a key in it, and what it holds; each depth is as likely as another."""
    holder, key = None, None
    while isinstance(value, dict | list) and value and (holder is None or generator.random() < 0.8):
        holder = value
        key = generator.choice(list(value)) if isinstance(value, dict) else generator.randrange(len(value))
        value = holder[key]
    return holder, key, value


STRANGE: list[Any] = [
    None, True, 0, 1, -1, 2**53 - 1, "", "0", "00" * 32, "ff" * 32, "c0", "80", [], {}, [[]], {"$dec": "1.5"},
    {"...": "x"}, {"_sd": []}, {"$dec": "9007199254740992"}, "鱼", "\u0000", "\u2028", "https://id.gs1.org/01/04012345123456",
]  # fmt: skip


def change(generator: random.Random, made: Any, donor: Any) -> None:
    holder, key, value = pick(generator, made)
    kind = generator.randrange(9)
    if kind == 0:
        holder[key] = copy.deepcopy(generator.choice(STRANGE))
    elif kind == 1 and isinstance(value, str) and value:
        at = generator.randrange(len(value))
        holder[key] = value[:at] + generator.choice("0123456789abcdefAZ+/=_-\n ") + value[at + 1 :]
    elif kind == 2 and isinstance(value, int):
        holder[key] = value + generator.choice([-1, 1, 2**20])
    elif kind == 3 and isinstance(value, list) and value:
        value.insert(generator.randrange(len(value) + 1), copy.deepcopy(generator.choice(value)))
    elif kind == 4 and isinstance(value, list) and value:
        value[:] = generator.choice([value[::-1], value[:-1], value[1:], generator.sample(value, len(value))])
    elif kind == 5 and isinstance(holder, dict):
        del holder[key]
    elif kind == 6 and isinstance(value, dict):
        value[generator.choice(["x", "h", "_sd", "$dec", "..."])] = copy.deepcopy(generator.choice(STRANGE))
    else:  # what stands at the same or another place of another bundle
        found = [one for one in places(donor) if one[-1] == key]
        if found:
            there = donor
            for step in generator.choice(found):
                there = there[step]
            holder[key] = copy.deepcopy(there)


def change_trust(generator: random.Random, held: Any) -> None:
    holder, key, value = pick(generator, held)
    match generator.randrange(4):
        case 0:
            holder[key] = copy.deepcopy(generator.choice(STRANGE))
        case 1 if isinstance(value, list):
            value.clear()
        case 2 if isinstance(value, str):
            holder[key] = value[::-1]
        case _ if isinstance(value, list) and value:
            value.append(copy.deepcopy(value[0]))


def run(seed: int, worlds: int, bundles: int, changed: int) -> dict[str, int]:
    generator = random.Random(seed)
    seen: dict[str, int] = {}

    def count(raw: bytes, held: bytes) -> str:
        verdict = agree(raw, held)
        seen[verdict] = seen.get(verdict, 0) + 1
        return verdict

    for number in range(worlds):
        world, stranger = (random_world(generator, f"{seed}/{number}/{which}") for which in "ab")
        held = world.trust().encode()
        for _ in range(bundles):
            made, donor = random_bundle(generator, world), random_bundle(generator, generator.choice([world, stranger]))
            assert count(canonical.encode(made), held) == "VALID"
            count(canonical.encode(made), stranger.trust().encode())
            for _ in range(changed):
                bad = copy.deepcopy(made)
                for _ in range(generator.choice([1, 1, 1, 2, 3])):
                    change(generator, bad, donor)
                count(json.dumps(bad, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(), held)
            for _ in range(2):
                strange = json.loads(held)
                change_trust(generator, strange)
                count(canonical.encode(made), json.dumps(strange).encode())
    return seen


def test_both_say_what_the_vectors_say() -> None:
    folder = TESTS / "vectors" / "bundle"
    for case in json.loads((folder / "cases.json").read_text()):
        raw, held = (folder / case["bundle"]).read_bytes(), (folder / case["trust"]).read_bytes()
        assert agree(raw, held) == case["verdict"]
        assert second.verify(raw, held)["confirmation"] == case["confirmation"]


def test_both_agree_on_what_chance_makes() -> None:
    seen = run(1, worlds=6, bundles=5, changed=32)
    assert {"VALID", "INVALID", "INDETERMINATE", "64"} <= seen.keys()
    assert sum(seen.values()) > 1_000
    assert min(seen["VALID"], seen["INVALID"], seen["INDETERMINATE"]) >= 30


@pytest.mark.full
@pytest.mark.parametrize("seed", range(2, 12))
def test_both_agree_on_more(seed: int) -> None:
    assert run(seed, worlds=10, bundles=6, changed=30)["INVALID"] > 1_000


def both_on_a_range(shown: list[bytes], start: int, tree: tuple[int, bytes], path: list[bytes]) -> bool:
    """Return what both verifiers say of a range."""
    try:
        w.merkle.verify_range(shown, start, tree[0], path, tree[1])
    except w.merkle.MerkleRefused:
        with pytest.raises(second.Bad):
            second.ranged(shown, start, tree, path)
        return False
    second.ranged(shown, start, tree, path)
    return True


def change_list(generator: random.Random, changed: list[bytes], pool: list[bytes]) -> None:
    at = generator.randrange(len(changed) + 1)
    match generator.randrange(4):
        case 0:
            changed.insert(at, generator.choice(pool))
        case 1:
            del changed[at : at + 1]
        case 2:
            changed[at : at + 1] = [generator.choice(pool)]


def test_both_agree_on_ranges() -> None:
    vectors = json.loads((TESTS / "vectors" / "merkle.json").read_text())
    leaves = [w.merkle.leaf_hash(bytes.fromhex(data)) for data in vectors["leaf_data"]]
    roots = {int(size): bytes.fromhex(root) for size, root in vectors["roots"].items()}
    cases = [
        (leaves[one["from"] : one["to"]], one["from"], one["size"], [bytes.fromhex(node) for node in one["path"]])
        for one in json.loads((TESTS / "vectors" / "range.json").read_text())
    ]
    assert all(both_on_a_range(shown, start, (size, roots[size]), path) for shown, start, size, path in cases)
    generator, said = random.Random(8), set()
    for _ in range(2_000):
        shown, start, size, path = generator.choice(cases)
        shown, path = list(shown), list(path)
        if generator.random() < 0.7:
            change_list(generator, generator.choice([shown, path]), [*leaves, *path])
        start, size = start + generator.choice([0, 0, 1, -1]), size + generator.choice([0, 0, 0, 1, -1])
        said.add(both_on_a_range(shown, start, (size, roots.get(size, bytes(32))), path))
    assert said == {True, False}


def test_the_second_shares_nothing_with_the_first() -> None:
    source = (TESTS / "second_verifier.py").read_text()
    assert "import sudonglian" not in source
    assert "from sudonglian" not in source


# An operator that cheats: everything is logged, signed and anchored as it should be, but for one thing


def cheat(event: Any, *disclosures: str, **members: Any) -> tuple[bytes, bytes]:
    """Return a bundle of one record that no honest client would have sealed, and its trust file."""
    world = w.World("cheat")
    made = {
        "v": "sudonglian/record/1",
        "visibility": "1",
        "submitter": "https://id.gs1.org/417/6901234000009",
        "_sd_alg": "sha-256",
        "event": event,
    } | members
    raw = canonical.encode(made)
    world.sealed[0] = w.record.Sealed(made, raw, w.record.record_hash(raw), ())
    world.leaves.append(w.merkle.leaf_hash(w.entry.record_entry(world.sealed[0].record_hash)))
    world.seal()
    world.anchor()
    value = world.bundle([0]).to_json()
    value["records"][0]["disclosures"] = sorted(disclosures)
    return canonical.encode(value), world.trust().encode()


def disclosed(*parts: Any) -> str:
    return str(w.record.disclosure.base64url(canonical.encode(list(parts))))


def digest(text: str) -> str:
    return str(w.record.disclosure.digest_of(text))


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


SALT = "A" * 22
NAMED, AGAIN = disclosed(SALT, "eventID", "1"), disclosed(SALT, "eventID", "2")
PERSON = disclosed(SALT, {"role": "driver"})
CROWD = [{"...": digest(one)} for one in (PERSON, "a", "b", "c")]


@pytest.mark.parametrize(
    ("event", "disclosures", "verdict"),
    [
        ({"type": "x"}, [], "VALID"),
        ([], [], "INVALID"),
        (None, [], "INVALID"),
        ({}, [], "VALID"),
        ({"n": {"$dec": "1.5"}}, [], "VALID"),
        ({"$dec": "1.5"}, [], "INVALID"),  # a number in the place of the event
        ({"a": {"_sd": []}}, [], "INVALID"),
        ({"a": {"_sd_alg": "sha-256"}}, [], "INVALID"),
        ({"a": [{"...": "x" * 43}]}, [], "INVALID"),
        ({"a": {"$ref": 1}}, [], "INVALID"),
        ({"_sd": []}, [], "INVALID"),
        ({"_sd": ["x"]}, [], "INVALID"),
        ({"_sd": [digest(NAMED)[:-1] + "B"]}, [], "INVALID"),  # bits beyond the digest's
        ({"_sd": [digest(NAMED)]}, [NAMED], "VALID"),
        ({"_sd": [digest(NAMED)]}, [AGAIN], "INVALID"),
        ({"_sd": [digest(NAMED)] * 2}, [NAMED], "INVALID"),
        ({"_sd": sorted([digest(NAMED), digest(AGAIN)])}, [NAMED], "VALID"),
        ({"_sd": sorted([digest(NAMED), digest(AGAIN)])}, [NAMED, AGAIN], "INVALID"),  # two values for one member
        ({"_sd": sorted([digest(NAMED), digest(AGAIN)])[::-1]}, [NAMED], "INVALID"),
        ({"_sd": [digest(NAMED)], "eventID": "3"}, [], "VALID"),
        ({"_sd": [digest(NAMED)], "eventID": "3"}, [NAMED], "INVALID"),  # withheld and in the clear
        ({"_sd": [digest(PERSON)]}, [PERSON], "INVALID"),
        ({"sdl:participants": CROWD}, [PERSON], "VALID"),
        ({"sdl:participants": CROWD[:3]}, [], "INVALID"),
        ({"sdl:participants": []}, [], "INVALID"),
        ({"sdl:participants": [*CROWD[:3], CROWD[0]]}, [PERSON], "INVALID"),
        ({"sdl:participants": [*CROWD[:3], {"role": "driver"}]}, [], "INVALID"),
        ({"sdl:participants": [*CROWD[:3], {"...": digest(NAMED)}]}, [NAMED], "INVALID"),
        ({"sdl:participants": CROWD, "_sd": [digest(PERSON)]}, [], "INVALID"),
        ({"x": nested(55)}, [], "VALID"),
        ({"x": nested(56)}, [], "INVALID"),
        *(
            ({"_sd": [digest(one)]}, [one], verdict)
            for one, verdict in (
                (disclosed(SALT, "x", nested(55)), "VALID"),
                (disclosed(SALT, "x", nested(56)), "INVALID"),
                (disclosed(SALT, "x", {"_sd": []}), "INVALID"),
                (disclosed(SALT, "x", {"$dec": "0.5"}), "VALID"),
                (disclosed(SALT, "_sd", []), "INVALID"),
                (disclosed(SALT, "...", 1), "INVALID"),
                (disclosed(SALT, "$x", 1), "INVALID"),
                (disclosed(SALT, "sdl:participants", []), "VALID"),
                (disclosed(SALT[1:], "x", 1), "INVALID"),
                (disclosed(SALT[1:] + "B", "x", 1), "INVALID"),
                (disclosed(SALT, "x", 1, 2), "INVALID"),
                (disclosed(SALT), "INVALID"),
                (disclosed(SALT, 1, 1), "INVALID"),
                (NAMED + "=", "INVALID"),
                (str(w.record.disclosure.base64url(b'["%s", "x",1]' % SALT.encode())), "INVALID"),
                (str(w.record.disclosure.base64url(b'["%s","x",1.0]' % SALT.encode())), "INVALID"),
            )
        ),
        *(
            ({"sdl:participants": [{"...": digest(one)}, *CROWD[1:]]}, [one], verdict)
            for one, verdict in ((disclosed(SALT, nested(54)), "VALID"), (disclosed(SALT, nested(55)), "INVALID"))
        ),
    ],
)
def test_a_record_that_no_honest_client_seals(event: Any, disclosures: list[str], verdict: str) -> None:
    assert agree(*cheat(event, *disclosures)) == verdict


@pytest.mark.parametrize(
    "members",
    [
        {"visibility": "0"}, {"visibility": 1}, {"visibility": "1.0"}, {"visibility": "٣"}, {"submitter": "x"},
        {"submitter": "a:" + "b" * 1999}, {"submitter": "a:b c"}, {"submitter": "a:鱼"}, {"_sd_alg": "sha-512"},
        {"v": "sudonglian/record/2"}, {"more": 1},
    ],
)  # fmt: skip
def test_a_records_frame(members: Any) -> None:
    assert agree(*cheat({}, **members)) == "INVALID"


def note_by(world: Any, text: str) -> str:
    """Return a note over any text, signed by the log's own key."""
    key = world.log_key
    line = w.checkpoint._base64(key.verifier_key.key_id + key._private.sign(text.encode()))
    return f"{text}\n— {key.origin} {line}\n"


def test_a_checkpoint_that_the_log_itself_wrote_otherwise() -> None:
    world = w.small_world()
    good = world.bundle([9]).to_json()
    held = world.trust().encode()
    origin, size, root, *_ = good["checkpoint"].split("\n")
    text = f"{origin}\n{size}\n{root}\n"
    assert agree(canonical.encode({**good, "checkpoint": note_by(world, text)}), held) == "VALID"
    loose = root[:-2] + chr(ord(root[-2]) + 1) + "="  # the same 32 bytes to a decoder that is not strict
    for other_text in (
        text + "extension\n",
        text.replace(f"\n{size}\n", f"\n0{size}\n"),
        text.replace(f"\n{size}\n", f"\n+{size}\n"),
        text.replace(f"\n{size}\n", f"\n{size} \n"),
        text.replace(f"\n{size}\n", f"\n{2**53}\n"),
        text.replace(f"\n{size}\n", "\n٣٠\n"),
        text.replace(root, loose),
        text.replace(root, root[:-1]),
        text.replace("\n", "\r\n"),
        text.replace(origin, f"{origin}\u00a0"),
    ):
        assert agree(canonical.encode({**good, "checkpoint": note_by(world, other_text)}), held) == "INVALID", (
            other_text
        )
    note = good["checkpoint"]
    line = note.split("\n\n")[1]
    for other_note in (
        note + line,
        note[:-1],
        note + "\n",
        note.replace("— ", "—\u00a0"),
        note.replace("— ", "- "),
        note.replace("—", "\u2013"),
        note.replace("\n\n", "\n\n\n"),
        note.replace("\n", "\r\n"),
        note[:-2] + "\n",
        note.replace(f"— {origin} ", f"— {origin}  "),
        note.replace(line, line[:-1] + " \n"),
        note.replace(line, ""),
    ):
        assert agree(canonical.encode({**good, "checkpoint": other_note}), held) == "INVALID", other_note


def test_headers_that_are_trusted_and_yet_odd() -> None:
    world = w.small_world()
    good = world.bundle([9]).to_json()
    parse, encode = w.third_party_rlp.decode, w.third_party_rlp.encode
    fields = parse(bytes.fromhex(good["anchors"][0]["header"]))
    for changed, verdict in (
        ([*fields, b"new", b""], "VALID"),  # later forks append
        ([*fields, *[b""] * 17], "INVALID"),
        (fields[:14], "INVALID"),
        ([*fields[:3], [fields[3]], *fields[4:]], "INVALID"),
        ([*fields[:3], fields[3][:31], *fields[4:]], "INVALID"),
        ([*fields[:8], b"\0\1", *fields[9:]], "INVALID"),
        ([*fields[:11], [], *fields[12:]], "INVALID"),
    ):
        raw = bytes(encode(changed))
        held = json.loads(world.trust().encode())
        held["chains"][0]["finality"]["headers"].append(w.keccak256(raw).hex())
        good["anchors"][0]["header"] = raw.hex()
        assert agree(canonical.encode(good), json.dumps(held).encode()) == verdict, changed


def test_what_another_account_or_size_proves_is_not_taken() -> None:
    world = w.small_world()
    good = world.bundle([9]).to_json()
    held = world.trust().encode()
    [anchor], early, late = good["anchors"], min(world.blocks), max(world.blocks)
    block = world.blocks[late]
    of_early = [node.hex() for node in block.storage_proof(w.slots.root_slot(early))]
    swapped = {**anchor, "storage_proof": of_early}  # the later block holds the earlier size's slot too
    assert agree(canonical.encode({**good, "anchors": [swapped]}), held) == "INVALID"
    earlier = {**swapped, "size": early, "root": world.root(early).hex(), "consistency": []}
    assert agree(canonical.encode({**good, "anchors": [earlier]}), held) == "INVALID"
    proof: list[Any] = anchor["storage_proof"]
    for extra in ([*proof, proof[-1]], proof[:-1], proof[:0]):
        assert agree(canonical.encode({**good, "anchors": [{**anchor, "storage_proof": extra}]}), held) == "INVALID"
    namesake = json.loads(held)  # another account with the same code
    namesake["chains"][0]["contract"] = w.draw("account/1", 20).hex()
    moved = {**anchor, "contract": namesake["chains"][0]["contract"]}
    assert agree(canonical.encode({**good, "anchors": [moved]}), json.dumps(namesake).encode()) == "INVALID"
    twins = json.loads(held)  # two chains of one chain id: each has its own headers
    twin = copy.deepcopy(twins["chains"][0]) | {"genesis": "11" * 32}
    twin["finality"]["headers"] = []
    twins["chains"].append(twin)
    there = {**anchor, "genesis": "11" * 32}
    assert agree(canonical.encode(good), json.dumps(twins).encode()) == "VALID"
    assert agree(canonical.encode({**good, "anchors": [there]}), json.dumps(twins).encode()) == "INDETERMINATE"


def test_inner_nodes_and_seals_are_no_records() -> None:
    world = w.small_world()
    good = world.bundle([8]).to_json()
    held = world.trust().encode()
    [proof] = good["records"]
    for index, path in (
        (proof["index"] >> 1, proof["path"][1:]),  # one level up, where an inner node stands
        (len(world.leaves) - 1, good["records"][0]["path"]),
        (len(world.leaves), proof["path"]),
        (proof["index"] + 2**53 - 30, proof["path"]),
        (proof["index"], [*proof["path"], proof["path"][0]]),
        (proof["index"], proof["path"][:-1]),
    ):
        changed = {**good, "records": [{**proof, "index": index, "path": path}]}
        assert agree(canonical.encode(changed), held) == "INVALID"


@pytest.mark.parametrize("depth", [0, 1, 255, 256])
def test_absence_at_any_depth_needs_the_whole_prefix(depth: int) -> None:
    world = w.World("deep")
    name = "urn:not:there"
    key = w.lotmap.key(name)
    near = (int.from_bytes(key, "big") ^ 1 << 255 - max(depth - 1, 0)).to_bytes(32, "big")  # shares depth - 1 bits
    twin = (int.from_bytes(key, "big") ^ 1).to_bytes(32, "big")  # shares 255 bits
    world.add("urn:other:1")
    path = [w.draw(f"sibling/{n}") for n in range(depth)]
    for other_key, verdict in ((twin, "VALID" if depth < 256 else "INVALID"), (near, "INVALID"), (key, "INVALID")):
        if other_key == near and depth == 0:
            continue
        node = w.lotmap.leaf(other_key, 1, bytes(32))
        for place, sibling in enumerate(path):
            bit = key[(depth - 1 - place) >> 3] >> 7 - (depth - 1 - place & 7) & 1
            node = w.merkle.node_hash(sibling, node) if bit else w.merkle.node_hash(node, sibling)
        operator = copy.deepcopy(world)  # commits to whatever map it likes
        said = w.entry.SealEntry(node, w.merkle.EMPTY_ROOT, w.datetime(2026, 1, 5, tzinfo=w.UTC))
        operator._append(w.entry.seal_entry(said.lots, said.private, said.at))
        operator.seals[len(operator.leaves)] = said
        operator.anchor()
        made = operator.bundle([0]).to_json()
        size = len(operator.leaves)
        made["seal"] = {
            "at": "2026-01-05T00:00:00Z", "lots": node.hex(), "private": w.merkle.EMPTY_ROOT.hex(),
            "path": [one.hex() for one in operator._path(size - 1, size)],
        }  # fmt: skip
        other_leaf = {"key": other_key.hex(), "count": 1, "c": "00" * 32}
        siblings = [one.hex() for one in path]
        made["lots"] = [{"id": name, "key": key.hex(), "chain": [], "other": other_leaf, "path": siblings}]
        assert agree(canonical.encode(made), operator.trust().encode()) == verdict, other_key

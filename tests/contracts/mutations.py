"""One rule of the contract broken at a time: each must turn the named forge tests red (test_forge.py runs it).

A mutation is a file of contracts/, a text that stands in it exactly once, what it becomes, and who must notice.
"""

from typing import Final, NamedTuple

LOG: Final = "SudonglianLog.sol"
RFC: Final = "Rfc9162.sol"

ROLES: Final = "test_every_call_needs_its_role_and_no_other"
UNROLED: Final = "invariant_without_the_role_nothing_changes"
TREES: Final = "test_every_small_tree_extends_every_smaller_one"
ENTRIES: Final = "test_every_entry_of_every_small_tree_is_included"
LENGTHS: Final = "test_a_path_of_the_wrong_length_to_the_right_root_is_refused"
STEP: Final = """            if (fn & 1 == 1 || fn == sn) {
                r = node(p, r);"""
STEP2: Final = """            if (fn & 1 == 1 || fn == sn) {
                fr = node(c, fr);"""
ENDED: Final = "        if (s.successor != address(0)) revert AnchoringEnded(s.successor);\n"
PAUSED: Final = "        if (s.paused) revert AnchoringPaused();\n"
INVALID: Final = "if (key == address(0) || partyId == 0 || roles == 0 || validFrom >= validTo) {"


class Mutation(NamedTuple):
    """What is broken, how, and which tests see it."""

    rule: str
    file: str
    old: str
    new: str
    caught_by: tuple[str, ...]


MUTATIONS: Final = (
    # Who may
    Mutation("anchoring takes ANCHORER", LOG, "external onlyRole(ANCHORER) {", "external {", (ROLES, UNROLED)),
    Mutation(
        "pausing takes PAUSER",
        LOG,
        "function pause() external onlyRole(PAUSER)",
        "function pause() external",
        (ROLES, UNROLED),
    ),
    Mutation(
        "resuming takes PAUSER",
        LOG,
        "function unpause() external onlyRole(PAUSER)",
        "function unpause() external onlyRole(ANCHORER)",
        (ROLES, UNROLED),
    ),
    Mutation(
        "freezing takes the administrator", LOG, "onlyRole(DEFAULT_ADMIN_ROLE)", "onlyRole(PAUSER)", (ROLES, UNROLED)
    ),
    Mutation(
        "registering takes REGISTRAR",
        LOG,
        "        external\n        onlyRole(REGISTRAR)\n    {",
        "        external\n    {",
        (ROLES, UNROLED, "testFuzz_nobody_else_changes_anything"),
    ),
    Mutation(
        "rotating takes REGISTRAR",
        LOG,
        "uint64 validTo) external onlyRole(REGISTRAR) {",
        "uint64 validTo) external {",
        (ROLES, UNROLED),
    ),
    Mutation(
        "revoking takes REGISTRAR",
        LOG,
        "revoke(address key) external onlyRole(REGISTRAR) {",
        "revoke(address key) external {",
        (ROLES, UNROLED),
    ),
    Mutation(
        "each role goes to its holder",
        LOG,
        "_grantRole(PAUSER, pauser)",
        "_grantRole(ANCHORER, pauser)",
        ("test_the_roles_are_those_of_the_specification", UNROLED),
    ),
    # What is anchored
    Mutation("no root is zero", LOG, "        if (root == 0) revert EmptyRoot();\n", "", ("test_EmptyRoot",)),
    Mutation(
        "the root is judged before the size",
        LOG,
        "        if (root == 0) revert EmptyRoot();\n        Store storage s = _store();\n"
        "        uint64 previousSize = s.size;\n",
        "        Store storage s = _store();\n        uint64 previousSize = s.size;\n"
        "        if (root == 0 && size > previousSize) revert EmptyRoot();\n",
        ("test_refusals_are_judged_in_the_order_of_the_specification",),
    ),
    Mutation(
        "the same size again is a retry or a conflict",
        LOG,
        "if (size <= previousSize) {",
        "if (size < previousSize) {",
        ("test_RootConflict", "test_an_identical_retry_succeeds_and_does_nothing"),
    ),
    Mutation(
        "an identical retry succeeds",
        LOG,
        "            if (known == root) return;\n",
        "",
        ("invariant_honest_work_is_never_refused", "test_an_identical_retry_succeeds_and_does_nothing"),
    ),
    Mutation(
        "an identical retry changes nothing",
        LOG,
        "if (known == root) return;",
        "if (known == root) {\n                s.paused = false;\n                return;\n            }",
        ("invariant_a_retry_changes_nothing", "test_an_identical_retry_succeeds_and_does_nothing"),
    ),
    Mutation(
        "no gap is filled afterwards",
        LOG,
        "if (known == 0) revert SizeNotGrowing(previousSize, size);",
        "if (known == 0) {\n                s.rootAt[size] = root;\n                return;\n            }",
        (
            "test_SizeNotGrowing",
            "invariant_only_what_was_anchored_has_a_root",
            "invariant_every_anchor_extends_the_one_before",
        ),
    ),
    Mutation(
        "a log does not shrink",
        LOG,
        "if (known == 0) revert SizeNotGrowing(previousSize, size);",
        "if (known == 0) {\n                s.rootAt[size] = root;\n                s.size = size;\n"
        "                return;\n            }",
        ("test_SizeNotGrowing", "invariant_the_size_strictly_grows"),
    ),
    Mutation(
        "an anchored root stays",
        LOG,
        "revert RootConflict(size, known, root);",
        "{\n                s.rootAt[size] = root;\n                return;\n            }",
        ("test_RootConflict", "invariant_an_anchored_root_never_changes"),
    ),
    Mutation(
        "a frozen log anchors nothing",
        LOG,
        ENDED + PAUSED,
        PAUSED,
        ("test_AnchoringEnded", "invariant_frozen_is_for_ever"),
    ),
    Mutation(
        "a paused log anchors nothing",
        LOG,
        PAUSED,
        "",
        ("test_AnchoringPaused", "invariant_pausing_stops_anchoring"),
    ),
    Mutation(
        "frozen is judged before paused",
        LOG,
        ENDED + PAUSED,
        PAUSED + ENDED,
        ("test_refusals_are_judged_in_the_order_of_the_specification",),
    ),
    Mutation(
        "the first anchor takes no proof",
        LOG,
        "            if (proof.length != 0) revert Inconsistent(0, 0, size, root);\n",
        "",
        ("test_Inconsistent",),
    ),
    Mutation(
        "the proof is verified",
        LOG,
        "if (!Rfc9162.consistent(previousSize, previousRoot, size, root, proof)) {",
        "if (proof.length == 0) {",
        (
            "test_Inconsistent",
            "test_a_tree_that_leaves_an_entry_out_is_refused",
            "testFuzz_no_made_up_proof_is_accepted",
            "invariant_every_anchor_extends_the_one_before",
        ),
    ),
    Mutation(
        "the proof begins at the root anchored last",
        LOG,
        "bytes32 previousRoot = s.rootAt[previousSize];",
        "bytes32 previousRoot = s.rootAt[previousSize / 2];",
        ("test_anchors_grow_by_proof_and_say_so", "invariant_honest_work_is_never_refused"),
    ),
    Mutation(
        "an anchor leaves its root",
        LOG,
        "        s.rootAt[size] = root;\n        s.size = size;\n        emit",
        "        s.size = size;\n        emit",
        ("test_anchors_grow_by_proof_and_say_so", "invariant_every_anchor_extends_the_one_before"),
    ),
    Mutation(
        "an anchor says where it came from",
        LOG,
        "emit Anchored(size, root, previousSize, meta);",
        "emit Anchored(size, root, size, meta);",
        ("test_anchors_grow_by_proof_and_say_so",),
    ),
    Mutation(
        "an anchor carries the operator's digest",
        LOG,
        "emit Anchored(size, root, previousSize, meta);",
        "emit Anchored(size, root, previousSize, root ^ meta);",
        ("test_anchors_grow_by_proof_and_say_so",),
    ),
    Mutation(
        "the layout is that of the specification",
        LOG,
        "19789a6500;",
        "19789a6600;",
        (
            "test_an_anchor_writes_its_two_slots_and_no_other",
            "test_a_party_lies_in_the_slots_of_the_specification",
            "invariant_a_role_changes_only_what_is_its_own",
        ),
    ),
    # Where it begins and ends
    Mutation(
        "a start has a size and a root or neither",
        LOG,
        "if ((startSize == 0) != (startRoot == 0)) revert",
        "if (startSize != 0 && startRoot == 0) revert",
        ("test_InvalidStart",),
    ),
    Mutation(
        "a successor starts with the root",
        LOG,
        "            s.rootAt[startSize] = startRoot;\n",
        "",
        ("test_a_successor_starts_where_the_log_stood",),
    ),
    Mutation(
        "a successor says where it starts",
        LOG,
        "emit Anchored(startSize, startRoot, 0, 0);",
        "emit Anchored(startSize, startRoot, startSize, 0);",
        ("test_a_successor_starts_where_the_log_stood",),
    ),
    Mutation(
        "a freeze is not moved",
        LOG,
        ENDED + "        if (successor_",
        "        if (successor_",
        ("test_AnchoringEnded", "invariant_frozen_is_for_ever"),
    ),
    Mutation(
        "a successor is somewhere",
        LOG,
        "successor_ == address(0) || successor_ == address(this)",
        "successor_ == address(this)",
        ("test_InvalidSuccessor",),
    ),
    Mutation(
        "a successor is elsewhere",
        LOG,
        "successor_ == address(0) || successor_ == address(this)",
        "successor_ == address(0)",
        ("test_InvalidSuccessor",),
    ),
    Mutation(
        "a pause stops no registration",
        LOG,
        "        if (p.partyId != 0) revert KeyKnown(key);\n",
        "        if (p.partyId != 0) revert KeyKnown(key);\n        if (_store().paused) revert AnchoringPaused();\n",
        ("test_AnchoringPaused", "invariant_pausing_stops_nothing_else"),
    ),
    Mutation(
        "a freeze stops no revocation",
        LOG,
        "        if (p.partyId == 0) revert KeyUnknown(key);\n",
        "        if (p.partyId == 0) revert KeyUnknown(key);\n"
        "        if (_store().successor != address(0)) revert AnchoringEnded(_store().successor);\n",
        ("invariant_pausing_stops_nothing_else",),
    ),
    # Whose keys
    Mutation("a key is an address", LOG, INVALID, INVALID.replace("key == address(0) || ", ""), ("test_InvalidParty",)),
    Mutation("a key is a party's", LOG, INVALID, INVALID.replace("partyId == 0 || ", ""), ("test_InvalidParty",)),
    Mutation("a key has a role", LOG, INVALID, INVALID.replace("roles == 0 || ", ""), ("test_InvalidParty",)),
    Mutation("a window is not empty", LOG, INVALID, INVALID.replace(">=", ">"), ("test_InvalidParty",)),
    Mutation(
        "a key is registered once",
        LOG,
        "        if (p.partyId != 0) revert KeyKnown(key);\n",
        "",
        (
            "test_KeyKnown",
            "invariant_a_role_changes_only_what_is_its_own",
            "invariant_the_registry_is_never_back_dated",
        ),
    ),
    Mutation(
        "a stranger's key is told",
        LOG,
        "        if (p.partyId == 0) revert KeyUnknown(key);\n",
        "",
        ("test_KeyUnknown",),
    ),
    Mutation(
        "a registration touches its key alone",
        LOG,
        "        p.roles = roles;\n",
        "        p.roles = roles;\n        _store().paused = false;\n",
        ("invariant_a_role_changes_only_what_is_its_own", "invariant_pausing_stops_anchoring"),
    ),
    Mutation(
        "a window begins as given",
        LOG,
        "p.validFrom = validFrom;",
        "p.validFrom = 0;",
        ("testFuzz_a_party_is_kept_as_given_or_refused", "invariant_the_registry_is_never_back_dated"),
    ),
    Mutation(
        "a rotated key ends",
        LOG,
        "        old.validTo = moment;\n",
        "",
        (
            "test_a_rotation_ends_the_old_key_where_the_new_one_begins",
            "invariant_the_registry_is_never_back_dated",
        ),
    ),
    Mutation(
        "a new key begins when the old one ends",
        LOG,
        "_register(newKey, old.partyId, moment, validTo, old.roles);",
        "_register(newKey, old.partyId, old.validFrom, validTo, old.roles);",
        (
            "test_a_rotation_ends_the_old_key_where_the_new_one_begins",
            "invariant_the_registry_is_never_back_dated",
        ),
    ),
    Mutation(
        "a new key has the old one's roles",
        LOG,
        "_register(newKey, old.partyId, moment, validTo, old.roles);",
        "_register(newKey, old.partyId, moment, validTo, 3);",
        (
            "test_a_rotation_ends_the_old_key_where_the_new_one_begins",
            "invariant_the_registry_is_never_back_dated",
        ),
    ),
    Mutation(
        "a revoked key is not rotated",
        LOG,
        "old.revokedAt != 0 || moment < old.validFrom",
        "moment < old.validFrom",
        ("test_KeyNotInForce", "invariant_a_role_changes_only_what_is_its_own"),
    ),
    Mutation(
        "a key to come is not rotated",
        LOG,
        "moment < old.validFrom || ",
        "",
        ("test_KeyNotInForce", "testFuzz_only_a_key_in_force_is_rotated"),
    ),
    Mutation(
        "a key is in force from its first second",
        LOG,
        "moment < old.validFrom",
        "moment <= old.validFrom",
        ("test_a_key_in_force_is_rotated_from_its_first_second_to_its_last",),
    ),
    Mutation(
        "a key is out of force at its end",
        LOG,
        "moment >= old.validTo",
        "moment > old.validTo",
        ("test_KeyNotInForce",),
    ),
    Mutation(
        "a revocation is not back-dated",
        LOG,
        "p.revokedAt = uint64(block.timestamp);",
        "p.revokedAt = p.validFrom + 1;",
        ("test_a_revocation_bears_the_blocks_time", "invariant_the_registry_is_never_back_dated"),
    ),
    Mutation(
        "a revocation is not moved",
        LOG,
        "        if (p.revokedAt != 0) revert KeyNotInForce(key);\n",
        "",
        ("test_a_revocation_bears_the_blocks_time", "invariant_a_role_changes_only_what_is_its_own"),
    ),
    Mutation(
        "a revocation is told with its second",
        LOG,
        "emit PartyRevoked(key, p.partyId, uint64(block.timestamp));",
        "emit PartyRevoked(key, p.partyId, p.validTo);",
        ("test_a_revocation_bears_the_blocks_time",),
    ),
    # What is proven
    Mutation(
        "only anchored sizes hold entries", LOG, "root != 0 && Rfc9162.included", "Rfc9162.included", ("test_edges",)
    ),
    Mutation("an index is below the size", RFC, "if (index >= size)", "if (index > size)", ("test_edges", ENTRIES)),
    Mutation(
        "an inclusion path is not too long",
        RFC,
        "            if (sn == 0) return false;\n            bytes32 p = path[i];",
        "            bytes32 p = path[i];",
        (LENGTHS,),
    ),
    Mutation("the right edge climbs", RFC, STEP, STEP.replace(" || fn == sn", ""), (ENTRIES,)),
    Mutation(
        "an inclusion path is not too short",
        RFC,
        "return sn == 0 && r == root;",
        "return r == root;",
        (LENGTHS,),
    ),
    Mutation(
        "an inclusion path leads to the root",
        RFC,
        "return sn == 0 && r == root;",
        "return sn == 0;",
        (ENTRIES, "testFuzz_inclusion_is_the_definitions"),
    ),
    Mutation("nothing extends the empty tree", RFC, "size1 == 0 || size1 > size2", "size1 > size2", ("test_edges",)),
    Mutation("a smaller tree extends no larger one", RFC, "size1 == 0 || size1 > size2", "size1 == 0", (LENGTHS,)),
    Mutation(
        "equal trees have equal roots",
        RFC,
        "return path.length == 0 && root1 == root2;",
        "return path.length == 0;",
        ("test_edges",),
    ),
    Mutation(
        "equal trees need no path",
        RFC,
        "return path.length == 0 && root1 == root2;",
        "return root1 == root2;",
        ("test_edges",),
    ),
    Mutation("no path is answered with no", RFC, "        if (path.length == 0) return false;\n", "", (TREES,)),
    Mutation(
        "the walk starts at the largest whole subtree",
        RFC,
        "        while (fn & 1 == 1) {",
        "        if (fn & 1 == 1) {",
        (TREES,),
    ),
    Mutation(
        "a perfect tree is left out of its path",
        RFC,
        "if (size1 & (size1 - 1) != 0) {",
        "if (size1 & 1 != 0) {",
        (TREES,),
    ),
    Mutation(
        "a consistency path is not too long",
        RFC,
        "            if (sn == 0) return false;\n            bytes32 c = path[i];",
        "            bytes32 c = path[i];",
        (LENGTHS,),
    ),
    Mutation("the right edge of both climbs", RFC, STEP2, STEP2.replace(" || fn == sn", ""), (TREES,)),
    Mutation(
        "a consistency path is not too short",
        RFC,
        "return sn == 0 && fr == root1 && sr == root2;",
        "return fr == root1 && sr == root2;",
        (LENGTHS,),
    ),
    Mutation(
        "a consistency path leads to the first root",
        RFC,
        "return sn == 0 && fr == root1 && sr == root2;",
        "return sn == 0 && sr == root2;",
        ("testFuzz_consistency_is_the_definitions",),
    ),
    Mutation(
        "a consistency path leads to the second root",
        RFC,
        "return sn == 0 && fr == root1 && sr == root2;",
        "return sn == 0 && fr == root1;",
        ("testFuzz_consistency_is_the_definitions",),
    ),
    Mutation("an inner node begins with 1", RFC, "mstore8(m, 1)", "mstore8(m, 0)", (TREES, ENTRIES)),
    Mutation("left stands before right", RFC, "mstore(add(m, 1), left)", "mstore(add(m, 1), right)", (TREES, ENTRIES)),
)

QUICK: Final = (
    "rotating takes REGISTRAR",
    "an identical retry changes nothing",
    "a log does not shrink",
    "an anchored root stays",
    "the proof is verified",
    "a revocation is not back-dated",
)
"""Tried in the normal run too: one for each of the promises that the contract is there for."""

// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ISudonglianLog} from "../../../contracts/ISudonglianLog.sol";
import {ILog, LogWorld} from "./LogTest.sol";
import {Tree} from "./Tree.sol";

/// @title What may happen to a log, in any order: honest work, dishonest work, and people without the role
/// @dev Each action is one that forge calls with any arguments. The handler keeps, apart from the contract, what must
///      have become of it; it judges nothing itself but notes what it saw, and the invariants compare.
contract Handler is LogWorld {
    struct State {
        uint64 size;
        bytes32 root;
    }

    uint256 internal constant MOST_GROWTH = 12;
    uint256 internal constant MOST_ENTRIES = 150;
    uint256 internal constant SELDOM = 12;

    // What was seen: every state that latest() ever showed, in order.
    State[] public seen;
    // What was expected.
    bytes32[] internal _entries;
    mapping(uint64 size => bool honest) public anchoredByUs;
    address[] public keys;
    mapping(address key => ISudonglianLog.Party) internal _due;
    bool public duePaused;
    address public dueSuccessor;
    uint64 public sizeWhenFrozen;

    // What must never happen.
    uint256 public changedWithoutTheRole;
    uint256 public refusedForAnotherReason;
    uint256 public grownWithoutExtending;
    uint256 public grownWhilePaused;
    uint256 public grownWhileFrozen;
    uint256 public changedByARetry;
    uint256 public honestWorkRefused;
    uint256 public stoppedByAPause;
    uint256 public outOfBounds;

    // How often each thing was really tried, by the action's name.
    mapping(bytes32 what => uint256) public count;

    constructor(ILog log_) {
        log = log_;
        _observe();
    }

    modifier acting(bytes32 what) {
        ++count[what];
        _;
        _observe();
    }

    function states() external view returns (uint256) {
        return seen.length;
    }

    function keyCount() external view returns (uint256) {
        return keys.length;
    }

    function due(address key) external view returns (ISudonglianLog.Party memory) {
        return _due[key];
    }

    function dueRoot(uint64 size) external view returns (bytes32) {
        return Tree.root(_entries, size);
    }

    // Actions

    function grow(uint256 by) external acting("grow") {
        (uint64 size, bytes32 root, bytes32[] memory proof) = _next(by);
        (bool done,, bytes32[] memory changed) = tried(ANNA, abi.encodeCall(log.anchor, (size, root, proof, META)));
        if (done) {
            if (duePaused) ++grownWhilePaused;
            if (dueSuccessor != address(0)) ++grownWhileFrozen;
            anchoredByUs[size] = true;
            for (uint256 n; n < changed.length; ++n) {
                if (changed[n] != rootSlot(size) && changed[n] != stateSlot()) ++outOfBounds;
            }
        } else {
            if (!duePaused && dueSuccessor == address(0)) ++honestWorkRefused;
            if (changed.length != 0) ++outOfBounds;
        }
    }

    function retry(uint256 which) external acting("retry") {
        State memory one = seen[which % seen.length];
        if (one.size == 0) return;
        (bool done,, bytes32[] memory changed) =
            tried(ANNA, abi.encodeCall(log.anchor, (one.size, one.root, none, bytes32(which))));
        if (!done) ++honestWorkRefused;
        if (changed.length != 0) ++changedByARetry;
    }

    /// @dev A thief of the anchoring key: a changed past, a smaller log, a made-up root, a proof of something else.
    function forge(uint256 seed, uint256 by, uint256 how) external acting("forge") {
        (uint64 size, bytes32 root, bytes32[] memory proof) = _next(by);
        uint64 last = seen[seen.length - 1].size;
        if (last == 0) return;
        how %= 6;
        if (how == 0) {
            root = keccak256(abi.encode(seed));
        } else if (how == 1) {
            bytes32[] memory other = _copy(size);
            other[seed % last] = keccak256(abi.encode(seed));
            root = Tree.root(other, size);
            proof = Tree.consistency(other, last, size);
        } else if (how == 2) {
            size = uint64(within(seed, 1, last));
            root = keccak256(abi.encode(seed));
        } else if (how == 3) {
            size = uint64(within(seed, 0, last - 1));
            root = size == 0 ? META : Tree.root(_entries, size);
            if (log.rootAt(size) == root) return;
        } else if (how == 4) {
            proof = Tree.inserted(proof, seed % (proof.length + 1), META);
        } else {
            if (proof.length == 0) return;
            proof = Tree.flipped(proof, seed % (256 * proof.length));
        }
        (bool done,, bytes32[] memory changed) = tried(ANNA, abi.encodeCall(log.anchor, (size, root, proof, META)));
        if (done || changed.length != 0) ++grownWithoutExtending;
    }

    function pauseIt(uint256 dice) external acting("pause") {
        if (dice % 3 != 0) return;
        pause(true);
        duePaused = true;
    }

    function unpauseIt() external acting("unpause") {
        pause(false);
        duePaused = false;
    }

    function freezeIt(uint256 dice, address successor) external acting("freeze") {
        if (dice % SELDOM != 0) return;
        if (successor == address(0) || successor == address(log)) successor = address(0xBEEF);
        (bool done,,) = tried(ADMIN, abi.encodeCall(log.freeze, (successor)));
        if (done == (dueSuccessor != address(0))) ++honestWorkRefused;
        if (dueSuccessor != address(0)) return;
        dueSuccessor = successor;
        sizeWhenFrozen = seen[seen.length - 1].size;
    }

    function registerIt(uint64 from, uint64 to, uint8 roles, bytes32 id) external acting("register") {
        from = uint64(within(from, 0, block.timestamp + 2 days));
        to = uint64(within(to, uint256(from) + 1, FOR_EVER));
        if (roles == 0) roles = 3;
        if (id == 0) id = PARTY;
        address key = _fresh();
        _registrar(abi.encodeCall(log.register, (key, id, from, to, roles)), key, key);
        keys.push(key);
        _due[key] = ISudonglianLog.Party(id, from, to, 0, roles);
    }

    function rotateIt(uint256 which, uint64 to) external acting("rotate") {
        if (keys.length == 0) return;
        address old = keys[which % keys.length];
        uint64 moment = uint64(block.timestamp);
        to = uint64(within(to, uint256(moment) + 1, FOR_EVER));
        ISudonglianLog.Party storage was = _due[old];
        address key = _fresh();
        bytes memory data = abi.encodeCall(log.rotate, (old, key, to));
        if (was.revokedAt != 0 || moment < was.validFrom || moment >= was.validTo) {
            (bool done,, bytes32[] memory changed) = tried(RITA, data);
            if (done || changed.length != 0) ++outOfBounds;
            return;
        }
        _registrar(data, old, key);
        was.validTo = moment;
        keys.push(key);
        _due[key] = ISudonglianLog.Party(was.partyId, moment, to, 0, was.roles);
        ++count["rotated"];
    }

    function revokeIt(uint256 which) external acting("revoke") {
        if (keys.length == 0) return;
        address key = keys[which % keys.length];
        bytes memory data = abi.encodeCall(log.revoke, (key));
        if (_due[key].revokedAt != 0) {
            (bool done,, bytes32[] memory changed) = tried(RITA, data);
            if (done || changed.length != 0) ++outOfBounds;
            return;
        }
        _registrar(data, key, key);
        _due[key].revokedAt = uint64(block.timestamp);
        ++count["revoked"];
    }

    function registerAgain(uint256 which, uint64 from, uint64 to) external acting("register again") {
        if (keys.length == 0) return;
        address key = keys[which % keys.length];
        from = uint64(within(from, 0, FOR_EVER - 1));
        to = uint64(within(to, uint256(from) + 1, FOR_EVER));
        (bool done,, bytes32[] memory changed) = tried(RITA, abi.encodeCall(log.register, (key, META, from, to, 3)));
        if (done || changed.length != 0) ++outOfBounds;
    }

    /// @dev Somebody makes a call that its role's holder could make now, and has not the role.
    function trespass(uint256 who, uint256 which, uint256 seed) external acting("trespass") {
        (bytes memory data, bytes32 role) = _sound(which, seed);
        address sender = [ADMIN, ANNA, PAUL, RITA, STRANGER, address(uint160(seed | 1 << 159))][who % 6];
        if (log.hasRole(role, sender)) return;
        (bool done, bytes memory said, bytes32[] memory changed) = tried(sender, data);
        if (done || changed.length != 0) ++changedWithoutTheRole;
        if (keccak256(said) != keccak256(unauthorized(sender, role))) ++refusedForAnotherReason;
        ++count["trespassed"];
    }

    function wait_(uint32 seconds_) external acting("wait") {
        vm.warp(block.timestamp + within(seconds_, 1, 3 days));
    }

    // Within

    function _observe() internal {
        (uint64 size, bytes32 root) = log.latest();
        if (seen.length != 0) {
            State memory last = seen[seen.length - 1];
            if (last.size == size && last.root == root) return;
        }
        seen.push(State(size, root));
    }

    /// @dev The honest next state: new entries behind those that are anchored.
    function _next(uint256 by) internal returns (uint64 size, bytes32 root, bytes32[] memory proof) {
        uint64 last = seen[seen.length - 1].size;
        if (last >= MOST_ENTRIES) by = 1;
        size = last + uint64(within(by, 1, MOST_GROWTH));
        while (_entries.length < size) {
            _entries.push(sha256(abi.encodePacked(hex"00", _entries.length)));
        }
        root = Tree.root(_entries, size);
        proof = last == 0 ? new bytes32[](0) : Tree.consistency(_entries, last, size);
    }

    function _copy(uint64 size) internal view returns (bytes32[] memory copy) {
        copy = new bytes32[](size);
        for (uint256 n; n < size; ++n) {
            copy[n] = _entries[n];
        }
    }

    function _fresh() internal view returns (address) {
        return address(uint160(uint256(keccak256(abi.encode("key", keys.length)))));
    }

    /// @dev The registrar's work, which a pause or a freeze never stops, in these keys' slots only.
    function _registrar(bytes memory data, address one, address two) internal {
        (bool done,, bytes32[] memory changed) = tried(RITA, data);
        if (!done) duePaused || dueSuccessor != address(0) ? ++stoppedByAPause : ++honestWorkRefused;
        for (uint256 n; n < changed.length; ++n) {
            if (!_of(changed[n], one) && !_of(changed[n], two)) ++outOfBounds;
        }
    }

    function _of(bytes32 slot, address key) internal pure returns (bool) {
        bytes32 first = partySlot(key);
        return slot == first || uint256(slot) == uint256(first) + 1;
    }

    function _sound(uint256 which, uint256 seed) internal returns (bytes memory data, bytes32 role) {
        which %= 13;
        address key = keys.length == 0 ? _fresh() : keys[seed % keys.length];
        if (which == 0) {
            (uint64 size, bytes32 root, bytes32[] memory proof) = _next(seed);
            return (abi.encodeCall(log.anchor, (size, root, proof, META)), ANCHORER);
        }
        if (which == 1) return (abi.encodeCall(log.pause, ()), PAUSER);
        if (which == 2) return (abi.encodeCall(log.unpause, ()), PAUSER);
        if (which == 3) return (abi.encodeCall(log.freeze, (address(0xBAD))), ADMINISTRATOR);
        if (which == 4) return (abi.encodeCall(log.register, (_fresh(), PARTY, 1, FOR_EVER, 3)), REGISTRAR);
        if (which == 5) return (abi.encodeCall(log.rotate, (key, _fresh(), FOR_EVER)), REGISTRAR);
        if (which == 6) return (abi.encodeCall(log.revoke, (key)), REGISTRAR);
        if (which == 7) return (abi.encodeCall(log.grantRole, (ANCHORER, STRANGER)), ADMINISTRATOR);
        if (which == 8) return (abi.encodeCall(log.revokeRole, (ANCHORER, ANNA)), ADMINISTRATOR);
        if (which == 9) return (abi.encodeCall(log.beginDefaultAdminTransfer, (STRANGER)), ADMINISTRATOR);
        if (which == 10) return (abi.encodeCall(log.cancelDefaultAdminTransfer, ()), ADMINISTRATOR);
        if (which == 11) return (abi.encodeCall(log.changeDefaultAdminDelay, (1)), ADMINISTRATOR);
        return (abi.encodeCall(log.rollbackDefaultAdminDelay, ()), ADMINISTRATOR);
    }
}

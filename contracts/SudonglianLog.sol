// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {ISudonglianLog} from "./ISudonglianLog.sol";
import {Rfc9162} from "./Rfc9162.sol";

/// @title The log's anchors and the registry of keys: immutable, without a proxy, so that one code hash holds for ever
/// @dev No immutable variables either: the code hash is the same for every deployment.
contract SudonglianLog is ISudonglianLog, AccessControlDefaultAdminRules {
    bytes32 public constant ANCHORER = keccak256("sudonglian.ANCHORER");
    bytes32 public constant PAUSER = keccak256("sudonglian.PAUSER");
    bytes32 public constant REGISTRAR = keccak256("sudonglian.REGISTRAR");

    /// @dev Verifiers compute slots of the first and the third field; their order is part of docs/spec/contract.md.
    /// @custom:storage-location erc7201:sudonglian.log.v1
    struct Store {
        mapping(uint64 size => bytes32 root) rootAt;
        // One slot: every anchor reads all three and writes one.
        uint64 size;
        bool paused;
        address successor;
        mapping(address key => Party) parties;
    }

    /// @dev keccak256(abi.encode(uint256(keccak256("sudonglian.log.v1")) - 1)) & ~bytes32(uint256(0xff)).
    bytes32 private constant STORE = 0x8600e4fa7f467c1cbf18067374bad284b4c3b67002ff81a825e39f19789a6500;

    /// @param admin holds the delayed, two-step administration
    /// @param adminDelay seconds between an administrator's naming and taking over
    /// @param anchorer, pauser, registrar first holders of the roles; zero leaves a role empty
    /// @param startSize zero, or the last size that a successor shares with the contract before
    /// @param startRoot the root at that size
    constructor(
        address admin,
        uint48 adminDelay,
        address anchorer,
        address pauser,
        address registrar,
        uint64 startSize,
        bytes32 startRoot
    ) AccessControlDefaultAdminRules(adminDelay, admin) {
        if ((startSize == 0) != (startRoot == 0)) revert InvalidStart(startSize, startRoot);
        if (anchorer != address(0)) _grantRole(ANCHORER, anchorer);
        if (pauser != address(0)) _grantRole(PAUSER, pauser);
        if (registrar != address(0)) _grantRole(REGISTRAR, registrar);
        if (startSize != 0) {
            Store storage s = _store();
            s.rootAt[startSize] = startRoot;
            s.size = startSize;
            emit Anchored(startSize, startRoot, 0, 0);
        }
    }

    /// @inheritdoc ISudonglianLog
    function anchor(uint64 size, bytes32 root, bytes32[] calldata proof, bytes32 meta) external onlyRole(ANCHORER) {
        if (root == 0) revert EmptyRoot();
        Store storage s = _store();
        uint64 previousSize = s.size;
        if (size <= previousSize) {
            bytes32 known = s.rootAt[size];
            if (known == root) return;
            if (known == 0) revert SizeNotGrowing(previousSize, size);
            revert RootConflict(size, known, root);
        }
        if (s.successor != address(0)) revert AnchoringEnded(s.successor);
        if (s.paused) revert AnchoringPaused();
        if (previousSize == 0) {
            if (proof.length != 0) revert Inconsistent(0, 0, size, root);
        } else {
            bytes32 previousRoot = s.rootAt[previousSize];
            if (!Rfc9162.consistent(previousSize, previousRoot, size, root, proof)) {
                revert Inconsistent(previousSize, previousRoot, size, root);
            }
        }
        s.rootAt[size] = root;
        s.size = size;
        emit Anchored(size, root, previousSize, meta);
    }

    /// @inheritdoc ISudonglianLog
    function pause() external onlyRole(PAUSER) {
        _store().paused = true;
        emit Paused(msg.sender);
    }

    /// @inheritdoc ISudonglianLog
    function unpause() external onlyRole(PAUSER) {
        _store().paused = false;
        emit Unpaused(msg.sender);
    }

    /// @inheritdoc ISudonglianLog
    function freeze(address successor_) external onlyRole(DEFAULT_ADMIN_ROLE) {
        Store storage s = _store();
        if (s.successor != address(0)) revert AnchoringEnded(s.successor);
        if (successor_ == address(0) || successor_ == address(this)) revert InvalidSuccessor(successor_);
        s.successor = successor_;
        emit Frozen(successor_, s.size, s.rootAt[s.size]);
    }

    /// @inheritdoc ISudonglianLog
    function register(address key, bytes32 partyId, uint64 validFrom, uint64 validTo, uint8 roles)
        external
        onlyRole(REGISTRAR)
    {
        _register(key, partyId, validFrom, validTo, roles);
    }

    /// @inheritdoc ISudonglianLog
    function rotate(address oldKey, address newKey, uint64 validTo) external onlyRole(REGISTRAR) {
        Party storage old = _known(oldKey);
        uint64 moment = uint64(block.timestamp);
        if (old.revokedAt != 0 || moment < old.validFrom || moment >= old.validTo) revert KeyNotInForce(oldKey);
        old.validTo = moment;
        _register(newKey, old.partyId, moment, validTo, old.roles);
        emit PartyRotated(oldKey, newKey, old.partyId, moment);
    }

    /// @inheritdoc ISudonglianLog
    function revoke(address key) external onlyRole(REGISTRAR) {
        Party storage p = _known(key);
        if (p.revokedAt != 0) revert KeyNotInForce(key);
        p.revokedAt = uint64(block.timestamp);
        emit PartyRevoked(key, p.partyId, uint64(block.timestamp));
    }

    /// @inheritdoc ISudonglianLog
    function latest() external view returns (uint64 size, bytes32 root) {
        Store storage s = _store();
        size = s.size;
        root = s.rootAt[size];
    }

    /// @inheritdoc ISudonglianLog
    function rootAt(uint64 size) external view returns (bytes32 root) {
        return _store().rootAt[size];
    }

    /// @inheritdoc ISudonglianLog
    function paused() external view returns (bool) {
        return _store().paused;
    }

    /// @inheritdoc ISudonglianLog
    function successor() external view returns (address) {
        return _store().successor;
    }

    /// @inheritdoc ISudonglianLog
    function party(address key) external view returns (Party memory) {
        return _store().parties[key];
    }

    /// @inheritdoc ISudonglianLog
    function included(bytes32 leaf, uint64 index, uint64 size, bytes32[] calldata path) external view returns (bool) {
        bytes32 root = _store().rootAt[size];
        return root != 0 && Rfc9162.included(leaf, index, size, root, path);
    }

    /// @inheritdoc ISudonglianLog
    function consistent(uint64 size1, bytes32 root1, uint64 size2, bytes32 root2, bytes32[] calldata path)
        external
        view
        returns (bool)
    {
        return Rfc9162.consistent(size1, root1, size2, root2, path);
    }

    function _register(address key, bytes32 partyId, uint64 validFrom, uint64 validTo, uint8 roles) private {
        if (key == address(0) || partyId == 0 || roles == 0 || validFrom >= validTo) {
            revert InvalidParty(key, partyId, validFrom, validTo, roles);
        }
        Party storage p = _store().parties[key];
        if (p.partyId != 0) revert KeyKnown(key);
        p.partyId = partyId;
        p.validFrom = validFrom;
        p.validTo = validTo;
        p.roles = roles;
        emit PartyRegistered(key, partyId, validFrom, validTo, roles);
    }

    function _known(address key) private view returns (Party storage p) {
        p = _store().parties[key];
        if (p.partyId == 0) revert KeyUnknown(key);
    }

    function _store() private pure returns (Store storage s) {
        bytes32 slot = STORE;
        assembly {
            s.slot := slot
        }
    }
}

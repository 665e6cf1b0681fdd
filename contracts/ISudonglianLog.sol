// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title The on-chain memory of one append-only log of cold-chain records, and of the keys that sign them
/// @notice Anchors (size, root) pairs of an RFC 9162 SHA-256 Merkle log. Every anchor carries the consistency proof from
///         the one before, and the contract itself checks it: whoever holds the anchoring key can append to the log and
///         can do nothing else to it. What an anchor does not show: that the records are true, or that all were submitted.
/// @dev docs/spec/contract.md gives the storage layout for verifiers that read it with eth_getProof.
interface ISudonglianLog {
    /// @notice One party's signing key.
    /// @param partyId keccak256 of the party's normal URI (docs/spec/contract.md); zero means that the key is unknown
    /// @param validFrom first second, Unix time, at which the key signs for the party
    /// @param validTo first second at which it no longer does
    /// @param revokedAt the second of its revocation, zero while it is not revoked
    /// @param roles bit set of what the key may sign: 1 as consignor, 2 as consignee; the others are reserved
    struct Party {
        bytes32 partyId;
        uint64 validFrom;
        uint64 validTo;
        uint64 revokedAt;
        uint8 roles;
    }

    /// @notice A new state of the log was anchored.
    /// @param size number of entries
    /// @param root RFC 9162 tree head over them
    /// @param previousSize size of the anchor before, zero for the first
    /// @param meta free for the operator: a digest of whatever belongs to this anchor
    event Anchored(uint64 indexed size, bytes32 root, uint64 previousSize, bytes32 meta);

    /// @notice Anchoring stops until it is resumed; reading never does.
    event Paused(address indexed account);

    /// @notice Anchoring goes on.
    event Unpaused(address indexed account);

    /// @notice Anchoring ended for ever, and goes on in the successor.
    event Frozen(address indexed successor, uint64 size, bytes32 root);

    /// @notice A key signs for a party from now on, or from validFrom on.
    event PartyRegistered(address indexed key, bytes32 indexed partyId, uint64 validFrom, uint64 validTo, uint8 roles);

    /// @notice A key took the place of another of the same party.
    event PartyRotated(address indexed oldKey, address indexed newKey, bytes32 indexed partyId, uint64 moment);

    /// @notice A key signs for nobody from `moment` on.
    event PartyRevoked(address indexed key, bytes32 indexed partyId, uint64 moment);

    /// @notice No log has the root zero.
    error EmptyRoot();
    /// @notice The log already has a size that is at least this one, and this one was never anchored.
    error SizeNotGrowing(uint64 anchored, uint64 offered);
    /// @notice This size was anchored with another root: somebody shows two histories.
    error RootConflict(uint64 size, bytes32 anchored, bytes32 offered);
    /// @notice The proof does not show that the new state only appends to the anchored one.
    error Inconsistent(uint64 size1, bytes32 root1, uint64 size2, bytes32 root2);
    /// @notice Anchoring is paused.
    error AnchoringPaused();
    /// @notice Anchoring ended here and goes on in the successor.
    error AnchoringEnded(address successor);
    /// @notice A log of size zero has root zero, any other has not.
    error InvalidStart(uint64 size, bytes32 root);
    /// @notice A successor is another contract.
    error InvalidSuccessor(address successor);
    /// @notice A key is registered once; give the party another key.
    error KeyKnown(address key);
    /// @notice No party has this key.
    error KeyUnknown(address key);
    /// @notice The key is revoked, or its time has not come or is over.
    error KeyNotInForce(address key);
    /// @notice Zero key, zero party, no role, or a time that ends before it begins.
    error InvalidParty(address key, bytes32 partyId, uint64 validFrom, uint64 validTo, uint8 roles);

    /// @notice Anchor the log's state at `size`. An identical retry succeeds and changes nothing, even when paused or
    ///         frozen, so that a transaction sent twice does no harm.
    /// @param size number of entries, larger than that of any anchor so far
    /// @param root RFC 9162 tree head over them
    /// @param proof RFC 9162 consistency proof from the latest anchor; empty if the log was empty
    /// @param meta free for the operator, only in the event
    function anchor(uint64 size, bytes32 root, bytes32[] calldata proof, bytes32 meta) external;

    /// @notice Stop anchoring; reading and the registry go on.
    function pause() external;

    /// @notice Resume anchoring.
    function unpause() external;

    /// @notice End anchoring here for ever and name the contract where it goes on.
    function freeze(address successor) external;

    /// @notice Let a key sign for a party.
    function register(address key, bytes32 partyId, uint64 validFrom, uint64 validTo, uint8 roles) external;

    /// @notice Let a new key take the place, and the roles, of one that is in force. The old one ends now, unrevoked.
    function rotate(address oldKey, address newKey, uint64 validTo) external;

    /// @notice End a key now. Never back-dated: what it signed and was anchored before stays signed.
    function revoke(address key) external;

    /// @notice The latest anchored state; zeros for an empty log.
    function latest() external view returns (uint64 size, bytes32 root);

    /// @notice The root anchored for exactly this size, or zero.
    function rootAt(uint64 size) external view returns (bytes32 root);

    /// @notice Whether anchoring is paused.
    function paused() external view returns (bool);

    /// @notice Where anchoring goes on, or zero while it goes on here.
    function successor() external view returns (address);

    /// @notice A key's entry in the registry; all zero if there is none.
    function party(address key) external view returns (Party memory);

    /// @notice Whether `leaf` (a leaf hash) is entry `index` of the log anchored at exactly `size`.
    function included(bytes32 leaf, uint64 index, uint64 size, bytes32[] calldata path) external view returns (bool);

    /// @notice Whether `path` is the RFC 9162 consistency proof between two states, anchored or not.
    function consistent(uint64 size1, bytes32 root1, uint64 size2, bytes32 root2, bytes32[] calldata path)
        external
        view
        returns (bool);
}

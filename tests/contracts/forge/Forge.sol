// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title The few of forge's cheat codes that these tests use
interface Vm {
    struct ChainInfo {
        uint256 forkId;
        uint256 chainId;
    }

    struct StorageAccess {
        address account;
        bytes32 slot;
        bool isWrite;
        bytes32 previousValue;
        bytes32 newValue;
        bool reverted;
    }

    struct AccountAccess {
        ChainInfo chainInfo;
        uint8 kind;
        address account;
        address accessor;
        bool initialized;
        uint256 oldBalance;
        uint256 newBalance;
        bytes deployedCode;
        uint256 value;
        bytes data;
        bool reverted;
        StorageAccess[] storageAccesses;
        uint64 depth;
        uint64 oldNonce;
        uint64 newNonce;
    }

    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function getCode(string calldata artifact) external view returns (bytes memory);
    function prank(address sender) external;
    function deal(address account, uint256 wei_) external;
    function warp(uint256 timestamp) external;
    function store(address target, bytes32 slot, bytes32 value) external;
    function load(address target, bytes32 slot) external view returns (bytes32);
    function expectRevert(bytes calldata reason) external;
    function expectEmit(bool topic1, bool topic2, bool topic3, bool data, address emitter) external;
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
    function startStateDiffRecording() external;
    function stopAndReturnStateDiff() external returns (AccountAccess[] memory);
}

/// @title What every test stands on: the cheat codes, and assertions that say what they saw
abstract contract Forge {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    error Unequal(string what, uint256 found, uint256 due);
    error Untrue(string what);

    function check(bool holds, string memory what) internal pure {
        if (!holds) revert Untrue(what);
    }

    function same(uint256 found, uint256 due, string memory what) internal pure {
        if (found != due) revert Unequal(what, found, due);
    }

    function same(bytes32 found, bytes32 due, string memory what) internal pure {
        same(uint256(found), uint256(due), what);
    }

    function same(address found, address due, string memory what) internal pure {
        same(uint160(found), uint160(due), what);
    }

    /// @dev A fuzzed number as one from `least` to `most`, the small ones as they are.
    function within(uint256 number, uint256 least, uint256 most) internal pure returns (uint256) {
        return number >= least && number <= most ? number : least + number % (most - least + 1);
    }
}

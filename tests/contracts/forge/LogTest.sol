// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {ISudonglianLog} from "../../../contracts/ISudonglianLog.sol";
import {Forge, Vm} from "./Forge.sol";

/// @title All that the contract answers to
interface ILog is ISudonglianLog, IAccessControl, IAccessControlDefaultAdminRules {}

/// @title A deployed log and the people around it
/// @dev The contract is known by its interface alone and made from its artifact, so that a changed contract is compiled
///      again and these tests are not.
abstract contract LogWorld is Forge {
    bytes32 internal constant ADMINISTRATOR = 0;
    bytes32 internal constant ANCHORER = keccak256("sudonglian.ANCHORER");
    bytes32 internal constant PAUSER = keccak256("sudonglian.PAUSER");
    bytes32 internal constant REGISTRAR = keccak256("sudonglian.REGISTRAR");

    address internal constant ADMIN = address(0xAD0001);
    address internal constant ANNA = address(0xA20002);
    address internal constant PAUL = address(0xDA0003);
    address internal constant RITA = address(0x4E0004);
    address internal constant STRANGER = address(0x570005);
    uint48 internal constant DELAY = 2 days;
    uint64 internal constant FOR_EVER = type(uint64).max;
    uint256 internal constant START = 1_750_000_000;

    bytes32 internal constant PARTY = keccak256("https://id.gs1.org/417/4012345500004");
    bytes32 internal constant META = bytes32(uint256(0x3E7A));
    bytes32[] internal none;

    // docs/spec/contract.md rules 13 to 16.
    bytes32 internal constant STORE = 0x8600e4fa7f467c1cbf18067374bad284b4c3b67002ff81a825e39f19789a6500;

    ILog internal log;

    function deployed(uint64 size, bytes32 root) internal returns (ILog made) {
        bytes memory reason;
        (made, reason) = made_(size, root);
        check(address(made) != address(0), "the constructor reverted");
    }

    /// @dev The new contract, or zero and what its constructor said.
    function made_(uint64 size, bytes32 root) internal returns (ILog made, bytes memory reason) {
        bytes memory code = bytes.concat(
            vm.getCode("SudonglianLog.sol:SudonglianLog"), abi.encode(ADMIN, DELAY, ANNA, PAUL, RITA, size, root)
        );
        assembly {
            made := create(0, add(code, 32), mload(code))
            if iszero(made) {
                reason := mload(0x40)
                mstore(reason, returndatasize())
                returndatacopy(add(reason, 32), 0, returndatasize())
                mstore(0x40, add(add(reason, 32), and(add(returndatasize(), 31), not(31))))
            }
        }
    }

    function anchor(uint64 size, bytes32 root, bytes32[] memory proof) internal {
        vm.prank(ANNA);
        log.anchor(size, root, proof, META);
    }

    function pause(bool paused) internal {
        vm.prank(PAUL);
        paused ? log.pause() : log.unpause();
    }

    function freeze(address successor) internal {
        vm.prank(ADMIN);
        log.freeze(successor);
    }

    function register(address key, uint64 from, uint64 to, uint8 roles) internal {
        vm.prank(RITA);
        log.register(key, PARTY, from, to, roles);
    }

    function rotate(address oldKey, address newKey, uint64 to) internal {
        vm.prank(RITA);
        log.rotate(oldKey, newKey, to);
    }

    function revoke(address key) internal {
        vm.prank(RITA);
        log.revoke(key);
    }

    /// @dev Call as `sender` and return every slot of the log that is not what it was.
    function tried(address sender, bytes memory data)
        internal
        returns (bool done, bytes memory said, bytes32[] memory changed)
    {
        vm.startStateDiffRecording();
        vm.prank(sender);
        (done, said) = address(log).call(data);
        Vm.AccountAccess[] memory accesses = vm.stopAndReturnStateDiff();
        uint256 count;
        for (uint256 pass; pass < 2; ++pass) {
            changed = new bytes32[](count);
            count = 0;
            for (uint256 i; i < accesses.length; ++i) {
                Vm.StorageAccess[] memory touched = accesses[i].storageAccesses;
                for (uint256 j; j < touched.length; ++j) {
                    Vm.StorageAccess memory one = touched[j];
                    if (!one.isWrite || one.reverted || one.previousValue == one.newValue) continue;
                    if (pass == 1) changed[count] = one.slot;
                    ++count;
                }
            }
        }
    }

    function unauthorized(address account, bytes32 role) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, account, role);
    }

    function same(ISudonglianLog.Party memory found, ISudonglianLog.Party memory due, string memory what)
        internal
        pure
    {
        same(keccak256(abi.encode(found)), keccak256(abi.encode(due)), what);
    }

    function rootSlot(uint64 size) internal pure returns (bytes32) {
        return keccak256(abi.encode(size, STORE));
    }

    function stateSlot() internal pure returns (bytes32) {
        return bytes32(uint256(STORE) + 1);
    }

    function partySlot(address key) internal pure returns (bytes32) {
        return keccak256(abi.encode(key, uint256(STORE) + 2));
    }
}

/// @title A test that begins with an empty log
abstract contract LogTest is LogWorld {
    function setUp() public virtual {
        vm.warp(START);
        log = deployed(0, 0);
    }
}
